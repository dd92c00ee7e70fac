// SPDX-License-Identifier: Apache-2.0
#include "tests/controller/agents/test_fleet.h"

#include <poll.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace zcluster::controller {

v1::AgentMessage Hello(const AgentId& id) {
  v1::AgentMessage message;
  message.mutable_hello()->set_pair(id.pair);
  message.mutable_hello()->set_node(id.node);
  message.mutable_hello()->set_version("1.0");
  message.mutable_hello()->set_protocol(1);
  message.mutable_hello()->set_journal("j1");
  return message;
}

v1::AgentMessage Report(const std::string& pair) {
  v1::AgentMessage message;
  message.mutable_report()->set_pair(pair);
  return message;
}

v1::AgentMessage Events(uint64_t first, int count) {
  v1::AgentMessage message;
  for (int i = 0; i < count; ++i) {
    v1::Event& event = *message.mutable_events()->add_events();
    event.set_number(first + static_cast<uint64_t>(i));
    event.set_name("promoted");
  }
  return message;
}

TestAgent::TestAgent(int port, const AgentId& id, const tls::Files& files) : id_(id) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_ = grpc::CreateCustomChannel(
      absl::StrCat("127.0.0.1:", port),
      tls::ClientCredentials(files, {.uri = tls::ControllerUri("fleet", "main")}, nullptr),
      arguments);
  stub_ = v1::FleetLinkService::NewStub(channel_);
  stream_ = stub_->Connect(&context_);
}

TestAgent::~TestAgent() {
  Leave();
  Listen();
  thread_.join();
}

bool TestAgent::Say(const v1::AgentMessage& message) { return stream_->Write(message); }

void TestAgent::Listen() {
  if (thread_.joinable()) return;
  thread_ = std::thread([this] {
    v1::ControllerMessage message;
    while (stream_->Read(&message)) {
      absl::MutexLock lock(&mutex_);
      heard_.push_back(message);
    }
    const grpc::Status status = stream_->Finish();
    absl::MutexLock lock(&mutex_);
    end_ = status;
  });
}

::testing::AssertionResult TestAgent::Enter() {
  SayHello();
  const std::vector<v1::ControllerMessage> heard = Heard(1);
  if (!heard.empty() && heard[0].has_welcome()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << id_.Name() << " got no welcome: " << End().error_message();
}

std::vector<v1::ControllerMessage> TestAgent::Heard(size_t count) {
  Listen();
  absl::MutexLock lock(&mutex_);
  const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return heard_.size() >= count || end_.has_value();
  };
  mutex_.AwaitWithTimeout(absl::Condition(&enough), kSoon);
  return heard_;
}

grpc::Status TestAgent::End() {
  Listen();
  absl::MutexLock lock(&mutex_);
  const auto ended = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return end_.has_value(); };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&ended), kSoon)) {
    return grpc::Status(grpc::StatusCode::OK, "the stream lives");
  }
  return *end_;
}

absl::StatusOr<v1::Welcome> TestListener::OnHello(const ProvenAgent& agent,
                                                  const v1::AgentHello& hello) {
  Tell(absl::StrCat("hello ", hello.pair(), "/", hello.node()));
  absl::MutexLock lock(&mutex_);
  proven_[agent.id] = agent;
  if (!refusal_.ok()) return refusal_;
  v1::Welcome welcome;
  welcome.set_controller("main");
  return welcome;
}

void TestListener::OnReport(const AgentId& agent, v1::AgentReport report) {
  Tell(absl::StrCat("report ", agent.Name(), " ", report.pair()));
  std::function<void(const AgentId&)> task;
  {
    absl::MutexLock lock(&mutex_);
    task = at_report_;
  }
  if (task != nullptr) task(agent);
}

void TestListener::OnEvents(const AgentId& agent, v1::EventBatch events) {
  Tell(absl::StrCat("events ", agent.Name(), " ", events.events(0).number(), "-",
                    events.events(events.events_size() - 1).number()));
}

void TestListener::OnFlows(const AgentId& agent, v1::FlowsSeen flows) {
  Tell(absl::StrCat("flows ", agent.Name(), " ", flows.flows_size()));
}

void TestListener::OnCertificateRequest(const AgentId& agent, v1::CertificateRequest) {
  Tell(absl::StrCat("certificate ", agent.Name()));
}

void TestListener::OnGone(const AgentId& agent, const std::string& reason) {
  {
    absl::MutexLock lock(&mutex_);
    reasons_[agent] = reason;
  }
  Tell(absl::StrCat("gone ", agent.Name()));
}

void TestListener::Refuse(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  refusal_ = why;
}

void TestListener::AtReport(std::function<void(const AgentId&)> task) {
  absl::MutexLock lock(&mutex_);
  at_report_ = std::move(task);
}

std::vector<std::string> TestListener::Told() {
  absl::MutexLock lock(&mutex_);
  return told_;
}

bool TestListener::Waits(const std::string& line, int times) {
  absl::MutexLock lock(&mutex_);
  const auto told = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return counts_[line] >= times; };
  return mutex_.AwaitWithTimeout(absl::Condition(&told), kSoon);
}

int TestListener::Count(const std::string& line) {
  absl::MutexLock lock(&mutex_);
  return counts_[line];
}

std::string TestListener::ReasonOf(const AgentId& agent) {
  absl::MutexLock lock(&mutex_);
  return reasons_[agent];
}

ProvenAgent TestListener::Proven(const AgentId& agent) {
  absl::MutexLock lock(&mutex_);
  return proven_[agent];
}

void TestListener::Tell(const std::string& line) {
  absl::MutexLock lock(&mutex_);
  told_.push_back(line);
  ++counts_[line];
}

TestFleet::TestFleet(const std::function<void(Agents::Options&)>& change)
    : authority_(directory_.path(), "fleet") {
  tls::RequireTls13();
  Agents::Options options;
  options.listen = "127.0.0.1:0";
  options.fleet = "fleet";
  options.files = authority_.Issue("controller", {.uri = tls::ControllerUri("fleet", "main")});
  if (change) change(options);
  loop_.Do([&] {
    auto started = Agents::Start(loop_.loop(), options, listener_);
    ZC_CHECK(started.ok());
    agents_ = *std::move(started);
    port_ = agents_->port();
  });
}

TestFleet::~TestFleet() { Stop(); }

std::unique_ptr<TestAgent> TestFleet::DialWith(const AgentId& id, const tls::Files& files) {
  return std::make_unique<TestAgent>(port_, id, files);
}

tls::Files TestFleet::Issue(const test::CertificateOptions& options) {
  return authority_.Issue(absl::StrCat("issued", ++issued_), options);
}

tls::Files TestFleet::IssueFor(const AgentId& id) {
  return Issue({.uri = tls::AgentUri("fleet", id.pair, id.node)});
}

void TestFleet::Do(const std::function<void(Agents&)>& task) {
  loop_.Do([&] { task(*agents_); });
}

size_t TestFleet::Connected() {
  size_t connected = 0;
  Do([&](Agents& agents) { connected = agents.connected(); });
  return connected;
}

Agents::Counters TestFleet::Counters() {
  Agents::Counters counters;
  Do([&](Agents& agents) { counters = agents.counters(); });
  return counters;
}

bool TestFleet::Waits(const std::function<bool(Agents&)>& condition) {
  const absl::Time deadline = absl::Now() + kSoon;
  bool met = false;
  while (!met && absl::Now() < deadline) {
    Do([&](Agents& agents) { met = condition(agents); });
    if (!met) ::poll(nullptr, 0, 5);  // looks again, without keeping a core busy
  }
  return met;
}

absl::Duration TestFleet::Stop() {
  const absl::Time began = absl::Now();
  loop_.Do([&] { agents_.reset(); });
  return absl::Now() - began;
}

}  // namespace zcluster::controller
