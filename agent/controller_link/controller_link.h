// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "agent/adapter.h"
#include "agent/controller_link/disk.h"
#include "agent/controller_link/enrolment.h"
#include "agent/controller_link/fleet_identity.h"
#include "agent/controller_link/options.h"
#include "agent/controller_link/pacer.h"
#include "agent/controller_link/renewal.h"
#include "agent/controller_link/requests.h"
#include "agent/controller_link/session.h"
#include "common/inlet.h"
#include "common/loop.h"
#include "zcluster/v1/cluster.pb.h"

namespace grpc {
class ChannelCredentials;
}  // namespace grpc

namespace zcluster::controller_link {

// This node's link to the controller: enrols the node while it is in no fleet, then keeps a stream
// to the controller, over which it reports and is asked. Takes Publish; reports no event to the
// brain, ever: how the pair is must not depend on a controller. Loop thread.
class ControllerLink : public Adapter, private SessionListener {
 public:
  ControllerLink(Loop& loop, Options options, Surroundings around);
  ~ControllerLink() override;

  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  void Stop() override;

  // For `zctl status`.
  v1::ControllerState state() const;

 private:
  void OnWelcome() override;
  void OnPacing(const v1::Pacing& pacing) override { pacer_.Set(pacing); }
  void OnCertificate(v1::IssuedCertificate certificate) override;
  void OnSessionEnded(const Ended& why) override;

  void Load();
  void Loaded(const absl::StatusOr<FleetName>& name);
  void LookForToken();
  void Tried(const Enrolment::Outcome& outcome);
  void BeginRound();
  void Dial(size_t address);
  void Again(absl::Duration wait);
  void SetProblem(const std::string& problem);

  Loop& loop_;
  const Options options_;
  const Surroundings around_;
  const std::shared_ptr<Inlet> inlet_;
  Requests requests_;
  // From Start() to Stop().
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Enrolment> enrolment_;
  std::unique_ptr<Renewal> renewal_;

  uint64_t loaded_ = 0;             // how often an identity was
  absl::optional<FleetName> name_;  // none: not enrolled
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::unique_ptr<Session> session_;
  size_t address_ = 0;  // the one in use, or tried last
  Pacer pacer_;
  // A fleet that does not know us is no reason to stop asking, nor to ask often.
  bool denied_ = false;
  std::string round_problem_;  // the first of this round
  Loop::Registration again_;
  Loop::Registration look_;

  bool connected_ = false;
  absl::Time since_ = Loop::Now();
  std::string problem_ = "starting";
  uint64_t taken_ = 0;  // the newest event that the controller was known to have
};

}  // namespace zcluster::controller_link
