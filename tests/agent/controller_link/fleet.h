// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/credential.h"
#include "tests/support/certificates.h"
#include "zcluster/v1/enrolment.grpc.pb.h"
#include "zcluster/v1/fleet_link.grpc.pb.h"

// A controller, as far as an agent sees one: real ports, real TLS, and a test in place of what
// decides.
namespace zcluster::controller_link {

// What only a broken product reaches.
inline constexpr absl::Duration kPatience = absl::Seconds(30);

// One stream that an agent opened. Any thread.
class Served : public grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage> {
 public:
  Served(std::string peer_uri, bool reads);

  const std::string& peer_uri() const { return peer_uri_; }
  void Send(v1::ControllerMessage message) ABSL_LOCKS_EXCLUDED(mutex_);
  // Welcome, with what a test needs of it.
  void Welcome(uint64_t events_taken = 0, absl::Duration report_interval = absl::Minutes(10));
  void Taken(uint64_t number);
  void Ask(v1::FleetRequest request);
  void End(const grpc::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  // The next message for which `wanted` holds, and which was not returned before; nullopt if none
  // comes in time.
  absl::optional<v1::AgentMessage> Await(const std::function<bool(const v1::AgentMessage&)>& wanted,
                                         absl::Duration patience = kPatience)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::optional<v1::AgentMessage> Await(v1::AgentMessage::KindCase kind,
                                         absl::Duration patience = kPatience);
  // All progress of a request until its end.
  std::vector<v1::RequestProgress> AwaitRequest(uint64_t id);
  // How many messages came of that kind that nobody has awaited.
  size_t Count(v1::AgentMessage::KindCase kind) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Messages that Send() was given and that are not with gRPC yet.
  size_t unsent() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Reads what it did not read so far.
  void ReadOn() ABSL_LOCKS_EXCLUDED(mutex_);
  bool AwaitEnd() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string peer_uri_;
  mutable absl::Mutex mutex_;
  std::deque<v1::AgentMessage> heard_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::ControllerMessage> waiting_ ABSL_GUARDED_BY(mutex_);
  v1::ControllerMessage writing_ ABSL_GUARDED_BY(mutex_);
  bool under_way_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;  // gRPC is done with it, or the agent is
  v1::AgentMessage reading_;

 public:
  std::shared_ptr<Served> self;  // gRPC's share
};

class Fleet : private v1::FleetLinkService::CallbackService,
              private v1::EnrolmentService::CallbackService {
 public:
  explicit Fleet(std::string name = "fleet");
  ~Fleet();

  std::string address() const;    // for agents
  std::string enrolment() const;  // for nodes
  const std::string& ca() const { return ca_; }
  const std::string& ca_key() const { return ca_key_; }
  // The token that it takes; any number of times, unless told otherwise.
  std::string Token() const;
  // Another one of this controller, which it does not know.
  std::string WrongToken() const;
  // What Enrol answers from now on instead of what is right; null: that again.
  using Twist = std::function<grpc::Status(const v1::EnrolRequest&, v1::EnrolResponse&)>;
  void SetTwist(Twist twist) ABSL_LOCKS_EXCLUDED(mutex_);
  int enrol_calls() const ABSL_LOCKS_EXCLUDED(mutex_);
  v1::EnrolRequest last_request() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The agent's key, as the last Enrol's connection has proved it.
  std::string last_key() const ABSL_LOCKS_EXCLUDED(mutex_);

  // A certificate of this fleet for the key of `request`.
  std::string Sign(const std::string& request, const std::string& uri,
                   absl::Duration lifetime) const;
  // Of agents that enrol.
  void SetLifetime(absl::Duration lifetime) ABSL_LOCKS_EXCLUDED(mutex_);

  // Streams that come from now on are not read at all.
  void Hang() ABSL_LOCKS_EXCLUDED(mutex_);
  // Streams that come from now on end at once so; OK: no longer.
  void Refuse(const grpc::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  // The next stream of an agent; null if none comes in time.
  std::shared_ptr<Served> AwaitStream(absl::Duration patience = kPatience)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // The next one, greeted.
  std::shared_ptr<Served> AwaitAgent(uint64_t events_taken = 0);
  int streams() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage>* Connect(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Enrol(grpc::CallbackServerContext* context,
                                  const v1::EnrolRequest* request,
                                  v1::EnrolResponse* response) override;
  grpc::Status LetIn(const v1::EnrolRequest& request, const std::string& key,
                     v1::EnrolResponse& response) ABSL_LOCKS_EXCLUDED(mutex_);

  const test::TempDirectory directory_;
  const std::string name_;
  const std::string ca_key_;
  const std::string ca_;
  tls::Credential enrolment_key_;
  mutable absl::Mutex mutex_;
  Twist twist_ ABSL_GUARDED_BY(mutex_);
  int enrol_calls_ ABSL_GUARDED_BY(mutex_) = 0;
  v1::EnrolRequest last_request_ ABSL_GUARDED_BY(mutex_);
  std::string last_key_ ABSL_GUARDED_BY(mutex_);
  absl::Duration lifetime_ ABSL_GUARDED_BY(mutex_) = absl::Hours(24);
  bool hangs_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status refusal_ ABSL_GUARDED_BY(mutex_);
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::shared_ptr<Served>> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Served>> all_ ABSL_GUARDED_BY(mutex_);
  int agents_port_ = 0;
  int enrolment_port_ = 0;
  std::unique_ptr<grpc::Server> agents_;
  std::unique_ptr<grpc::Server> enrolment_server_;
};

}  // namespace zcluster::controller_link
