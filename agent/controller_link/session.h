// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/types/optional.h"
#include "agent/controller_link/channel.h"
#include "agent/controller_link/event_feed.h"
#include "agent/controller_link/fleet_identity.h"
#include "agent/controller_link/flow_watch.h"
#include "agent/controller_link/options.h"
#include "agent/controller_link/outbox.h"
#include "agent/controller_link/read_limit.h"
#include "agent/controller_link/reports.h"
#include "agent/controller_link/requests.h"
#include "agent/controller_link/stream.h"
#include "common/loop.h"

namespace zcluster::controller_link {

// Told what concerns more than one stream. Loop thread.
class SessionListener {
 public:
  virtual ~SessionListener() = default;
  virtual void OnWelcome() = 0;
  virtual void OnPacing(const v1::Pacing& pacing) = 0;
  virtual void OnCertificate(v1::IssuedCertificate certificate) = 0;
  // Last; the session may be destroyed in it.
  virtual void OnSessionEnded(const Ended& why) = 0;
};

// One stream to one controller, from its dialing to its end: says hello, waits for Welcome, then
// reports, tells events, shows flows, and hands requests to `requests`. Loop thread.
class Session : private StreamListener {
 public:
  struct Context {
    Loop& loop;
    std::shared_ptr<Inlet> inlet;
    const Options& options;
    const Surroundings& around;
    Requests& requests;
  };
  // Dials `address` over `channel`, as the agent `name`. All but `channel` outlive this.
  Session(const Context& context, const FleetName& name, std::string address,
          const std::shared_ptr<grpc::Channel>& channel, SessionListener& listener);
  ~Session() override;

  bool welcomed() const { return !controller_.empty(); }
  const std::string& address() const { return address_; }
  // The controller's name, as its certificate has it; empty before Welcome.
  const std::string& controller() const { return controller_; }
  // The newest event that the controller is known to have.
  uint64_t taken() const { return feed_ ? feed_->taken() : 0; }

  // The brain has published.
  void Changed() { reports_.Changed(); }
  // Asks for a certificate.
  void Ask(v1::CertificateRequest request);

 private:
  void OnHeard(v1::ControllerMessage message) override;
  void OnWritten() override;
  void OnWriteFailed() override;
  void OnEnded(const grpc::Status& status) override;

  void Greet();
  void Receive(v1::ControllerMessage message);
  void Welcome(const v1::Welcome& welcome);
  void Carry(const v1::FleetRequest& request);
  void ReadAgain(absl::Duration wait);
  void Advance();
  void Fail(const absl::Status& why) { Over({why, false}); }
  void Over(Ended why);
  Origin Source() const;

  const Context context_;
  const FleetName name_;
  const std::string address_;
  SessionListener& listener_;
  Outbox outbox_;
  ReadLimit limit_;
  Reports reports_;
  absl::optional<EventFeed> feed_;
  FlowWatch flows_;
  std::unique_ptr<Stream> stream_;  // null: over
  std::string controller_;
  uint64_t last_request_ = 0;
  bool told_of_repeats_ = false;
  bool writing_ = false;
  bool paused_ = false;  // nothing is read until the outbox has room
  bool ending_ = false;  // nothing can be written any more; what is left is read
  Loop::Registration patience_;
  Loop::Registration pause_;
  // What is posted, or given to requests, may come when we are gone.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace zcluster::controller_link
