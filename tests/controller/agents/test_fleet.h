// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "controller/agents/agents.h"
#include "tests/support/certificates.h"
#include "tests/support/loop_thread.h"
#include "zcluster/v1/fleet_link.grpc.pb.h"

// A controller's link and its agents, over real TLS on loopback.
namespace zcluster::controller {

inline constexpr absl::Duration kSoon = absl::Seconds(30);  // only a broken product takes longer

// Messages as tests send them.
v1::AgentMessage Hello(const AgentId& id);
v1::AgentMessage Report(const std::string& pair);
v1::AgentMessage Events(uint64_t first, int count);

// An agent that says what it is told to.
class TestAgent {
 public:
  TestAgent(int port, const AgentId& id, const tls::Files& files);
  ~TestAgent();

  const AgentId& id() const { return id_; }
  // False if the stream has ended.
  bool Say(const v1::AgentMessage& message);
  bool SayHello() { return Say(Hello(id_)); }
  // Takes what the controller says from now on; until then it takes nothing.
  void Listen();
  // Hello, and the controller's answer.
  ::testing::AssertionResult Enter();
  // Waits for the first so many messages; fewer if the stream ended, or none came.
  std::vector<v1::ControllerMessage> Heard(size_t count);
  // Waits for the end, and says what it was. Listens, if it did not.
  grpc::Status End();
  bool ended() {
    absl::MutexLock lock(&mutex_);
    return end_.has_value();
  }
  // Ends it from this side.
  void Leave() { context_.TryCancel(); }

 private:
  const AgentId id_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::FleetLinkService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::ControllerMessage>> stream_;
  std::thread thread_;
  absl::Mutex mutex_;
  std::vector<v1::ControllerMessage> heard_ ABSL_GUARDED_BY(mutex_);
  absl::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
};

// What the listener was told, in order, and what it answers. Any thread.
class TestListener : public AgentListener {
 public:
  absl::StatusOr<v1::Welcome> OnHello(const ProvenAgent& agent,
                                      const v1::AgentHello& hello) override;
  void OnReport(const AgentId& agent, v1::AgentReport report) override;
  void OnEvents(const AgentId& agent, v1::EventBatch events) override;
  void OnFlows(const AgentId& agent, v1::FlowsSeen flows) override;
  void OnCertificateRequest(const AgentId& agent, v1::CertificateRequest request) override;
  void OnGone(const AgentId& agent, const std::string& reason) override;

  // Refuses hellos from now on.
  void Refuse(const absl::Status& why);
  // Runs on the loop at each report.
  void AtReport(std::function<void(const AgentId&)> task);
  // Lines such as "hello web-1/a", "report web-1/a lab", "events web-1/a 1-3", "gone web-1/a".
  std::vector<std::string> Told();
  // Waits until `line` was told so often.
  bool Waits(const std::string& line, int times = 1);
  int Count(const std::string& line);
  std::string ReasonOf(const AgentId& agent);  // that it is gone
  ProvenAgent Proven(const AgentId& agent);

 private:
  void Tell(const std::string& line);
  absl::Mutex mutex_;
  std::vector<std::string> told_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> counts_ ABSL_GUARDED_BY(mutex_);
  std::map<AgentId, std::string> reasons_ ABSL_GUARDED_BY(mutex_);
  std::map<AgentId, ProvenAgent> proven_ ABSL_GUARDED_BY(mutex_);
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const AgentId&)> at_report_ ABSL_GUARDED_BY(mutex_);
};

// The controller's side.
class TestFleet {
 public:
  explicit TestFleet(const std::function<void(Agents::Options&)>& change = {});
  ~TestFleet();

  std::unique_ptr<TestAgent> Dial(const AgentId& id) { return DialWith(id, IssueFor(id)); }
  std::unique_ptr<TestAgent> DialWith(const AgentId& id, const tls::Files& files);
  // Certificates of the fleet's CA.
  tls::Files Issue(const test::CertificateOptions& options);
  tls::Files IssueFor(const AgentId& id);
  const std::string& directory() const { return directory_.path(); }
  int port() const { return port_; }

  TestListener& listener() { return listener_; }
  // On the loop.
  void Do(const std::function<void(Agents&)>& task);
  size_t Connected();
  Agents::Counters Counters();
  // Waits for something that the loop knows.
  bool Waits(const std::function<bool(Agents&)>& condition);
  // Ends the controller's side; how long that took.
  absl::Duration Stop();

 private:
  test::TempDirectory directory_;
  test::Authority authority_;
  int issued_ = 0;
  TestListener listener_;
  test::LoopThread loop_;
  std::unique_ptr<Agents> agents_;
  int port_ = 0;
};

}  // namespace zcluster::controller
