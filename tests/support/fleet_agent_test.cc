// SPDX-License-Identifier: Apache-2.0
// The simulated agent against a controller that does what each test tells it, over real TLS.
#include "tests/support/fleet_agent.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "common/file.h"
#include "common/pki.h"
#include "common/tls.h"
#include "tests/support/certificates.h"
#include "zcluster/v1/fleet_link.grpc.pb.h"

namespace zcluster::test {
namespace {

using testing::ElementsAre;

constexpr absl::Duration kPatience = absl::Seconds(20);

// One agent's stream, seen from the other end.
class Reactor final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage> {
 public:
  using Hear = std::function<void(Reactor&, const v1::AgentMessage&)>;
  explicit Reactor(Hear hear) : hear_(std::move(hear)) { StartRead(&incoming_); }
  // gRPC takes one at a time, and an answer may be wanted before the last has left.
  void Write(v1::ControllerMessage message) {
    absl::MutexLock lock(&mutex_);
    waiting_.push_back(std::move(message));
    Advance();
  }

 private:
  void OnReadDone(bool ok) override {
    if (ok) {
      hear_(*this, incoming_);
      return StartRead(&incoming_);
    }
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    Advance();
  }
  void OnWriteDone(bool) override {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    Advance();
  }
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_) return;
    if (ended_) return Finish(grpc::Status::CANCELLED);
    if (waiting_.empty()) return;
    outgoing_ = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    StartWrite(&outgoing_);
  }
  void OnDone() override { delete this; }

  const Hear hear_;
  v1::AgentMessage incoming_;
  absl::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<v1::ControllerMessage> waiting_ ABSL_GUARDED_BY(mutex_);
  v1::ControllerMessage outgoing_ ABSL_GUARDED_BY(mutex_);
};

// A controller that remembers what it hears: welcomes everybody, and acknowledges if told to.
class Controller : public v1::FleetLinkService::CallbackService {
 public:
  explicit Controller(const std::string& fleet) : fleet_(fleet) {
    ca_key_ = *pki::MakeKey();
    ca_ = *pki::MakeCa(ca_key_, fleet_);
    const FleetIdentity own = Certify(tls::ControllerUri(fleet_, "ctl"));
    const tls::Files files{.certificate = directory_.path() + "/ctl.crt",
                           .key = directory_.path() + "/ctl.key",
                           .ca = directory_.path() + "/ca.crt"};
    EXPECT_TRUE(WriteFileAtomically(files.certificate, own.certificate, 0600).ok());
    EXPECT_TRUE(WriteFileAtomically(files.key, own.key, 0600).ok());
    EXPECT_TRUE(WriteFileAtomically(files.ca, ca_, 0600).ok());
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    const auto accept = [](const tls::Identity&) { return absl::OkStatus(); };
    builder.AddListeningPort(
        "127.0.0.1:0",
        tls::ServerCredentials(files, {.accept = accept, .whom = "an agent"}, nullptr), &port_);
    server_ = builder.BuildAndStart();
  }
  ~Controller() override { server_->Shutdown(std::chrono::system_clock::now()); }

  FleetIdentity Enrolled(const std::string& pair, const std::string& node) const {
    FleetIdentity agent = Certify(tls::AgentUri(fleet_, pair, node));
    agent.pair = pair;
    agent.node = node;
    return agent;
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // The newest event that Welcome says it has; acknowledges each batch from then on if `always`.
  void Acknowledge(uint64_t taken, bool always) {
    absl::MutexLock lock(&mutex_);
    taken_ = taken;
    acknowledges_ = always;
  }
  // Waits until `enough` of what was heard. Prints nothing: the caller looks.
  bool WaitFor(const std::function<bool(const std::vector<v1::AgentMessage>&)>& enough) {
    absl::MutexLock lock(&mutex_);
    const auto come = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return enough(heard_); };
    return mutex_.AwaitWithTimeout(absl::Condition(&come), kPatience);
  }
  std::vector<uint64_t> EventNumbers() {
    absl::MutexLock lock(&mutex_);
    return NumbersOf(heard_);
  }
  static std::vector<uint64_t> NumbersOf(const std::vector<v1::AgentMessage>& heard) {
    std::vector<uint64_t> numbers;
    for (const v1::AgentMessage& message : heard)
      for (const v1::Event& event : message.events().events()) numbers.push_back(event.number());
    return numbers;
  }
  void Forget() {
    absl::MutexLock lock(&mutex_);
    heard_.clear();
  }

 private:
  FleetIdentity Certify(const std::string& uri) const {
    FleetIdentity identity;
    identity.fleet = fleet_;
    identity.ca = ca_;
    identity.key = *pki::MakeKey();
    identity.certificate = *pki::Sign(*pki::MakeRequest(identity.key, uri), ca_, ca_key_,
                                      {.uri = uri, .lifetime = absl::Hours(1)});
    return identity;
  }

  grpc::ServerBidiReactor<v1::AgentMessage, v1::ControllerMessage>* Connect(
      grpc::CallbackServerContext*) override {
    return new Reactor(
        [this](Reactor& reactor, const v1::AgentMessage& message) { Hear(reactor, message); });
  }
  void Hear(Reactor& reactor, const v1::AgentMessage& message) {
    absl::MutexLock lock(&mutex_);
    heard_.push_back(message);
    v1::ControllerMessage answer;
    if (message.has_hello()) {
      answer.mutable_welcome()->set_events_taken(taken_);
      reactor.Write(std::move(answer));
    } else if (message.has_events() && acknowledges_) {
      answer.mutable_events_taken()->set_number(message.events().events().rbegin()->number());
      reactor.Write(std::move(answer));
    }
  }

  const std::string fleet_;
  const TempDirectory directory_;
  std::string ca_key_;
  std::string ca_;
  int port_ = 0;
  absl::Mutex mutex_;
  uint64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  bool acknowledges_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<v1::AgentMessage> heard_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
};

FleetAgent::Options OptionsFor(const Controller& controller, const FleetIdentity& identity) {
  FleetAgent::Options options;
  options.address = controller.address();
  options.identity = identity;
  options.hello = HelloOf(identity, "journal-1");
  return options;
}

v1::Event Named(const std::string& name) {
  v1::Event event;
  event.set_name(name);
  return event;
}

TEST(FleetAgent, SaysHelloAndIsWelcomed) {
  Controller controller("fleet");
  FleetAgent agent(OptionsFor(controller, controller.Enrolled("web", "lb1")));
  agent.Dial();
  ASSERT_TRUE(agent.AwaitWelcome(kPatience).ok()) << agent.AwaitWelcome(kPatience);
  ASSERT_TRUE(controller.WaitFor([](const auto& heard) {
    return !heard.empty() && heard[0].hello().pair() == "web" && heard[0].hello().node() == "lb1";
  }));
}

TEST(FleetAgent, RefusesAControllerOfAnotherFleet) {
  Controller controller("fleet");
  const Controller other("fleet");
  FleetAgent agent(OptionsFor(controller, other.Enrolled("web", "lb1")));
  agent.Dial();
  EXPECT_FALSE(agent.AwaitWelcome(kPatience).ok());
  EXPECT_FALSE(absl::IsDeadlineExceeded(agent.AwaitWelcome(kPatience)));
}

TEST(FleetAgent, TellsItsEventsAgainFromWhereTheControllerIs) {
  Controller controller("fleet");
  FleetAgent agent(OptionsFor(controller, controller.Enrolled("web", "lb1")));
  agent.Tell({Named("one"), Named("two"), Named("three")});
  agent.Dial();
  ASSERT_TRUE(controller.WaitFor(
      [](const auto& heard) { return Controller::NumbersOf(heard).size() == 3; }));
  EXPECT_EQ(agent.unacknowledged(), 3U);

  agent.Cut();
  EXPECT_FALSE(absl::IsDeadlineExceeded(agent.AwaitEnd(kPatience)));
  controller.Forget();
  controller.Acknowledge(2, true);
  agent.Dial();
  ASSERT_TRUE(
      controller.WaitFor([](const auto& heard) { return !Controller::NumbersOf(heard).empty(); }));
  EXPECT_THAT(controller.EventNumbers(), ElementsAre(3));
}

TEST(FleetAgent, KeepsNoMoreBatchesUnderWayThanItMay) {
  Controller controller("fleet");
  FleetAgent::Options options = OptionsFor(controller, controller.Enrolled("web", "lb1"));
  options.max_batch = 2;
  options.max_unacknowledged = 3;
  FleetAgent agent(std::move(options));
  agent.Tell(std::vector<v1::Event>(10, Named("one of many")));
  agent.Dial();
  ASSERT_TRUE(controller.WaitFor(
      [](const auto& heard) { return Controller::NumbersOf(heard).size() >= 6; }));
  // What is sent after them shows that no seventh was.
  agent.Send(v1::AgentMessage());
  ASSERT_TRUE(controller.WaitFor([](const auto& heard) { return heard.size() >= 5; }));
  EXPECT_THAT(controller.EventNumbers(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(FleetAgent, SendsWhateverItIsToldAsOftenAsItIsTold) {
  Controller controller("fleet");
  FleetAgent::Options options = OptionsFor(controller, controller.Enrolled("web", "lb1"));
  options.hello.set_pair("another");
  FleetAgent agent(std::move(options));
  agent.Dial();
  v1::AgentMessage report;
  report.mutable_report()->set_pair("x");
  agent.Send(report, 1000);
  ASSERT_TRUE(controller.WaitFor([](const auto& heard) { return heard.size() == 1001; }));
  EXPECT_TRUE(controller.WaitFor([](const auto& h) { return h[0].hello().pair() == "another"; }));
  EXPECT_EQ(agent.sent(), 1001U);
}

TEST(FleetAgent, DialsAgainFromWithinItsOwnEnd) {
  Controller controller("fleet");
  FleetAgent* again = nullptr;
  absl::Mutex mutex;
  int welcomes = 0;
  FleetAgent::Options options = OptionsFor(controller, controller.Enrolled("web", "lb1"));
  options.welcomed = [&](const v1::Welcome&) {
    absl::MutexLock lock(&mutex);
    ++welcomes;
  };
  options.ended = [&](const absl::Status&) { again->Dial(); };
  {
    FleetAgent agent(std::move(options));
    again = &agent;
    agent.Dial();
    for (int wanted = 1; wanted <= 5; ++wanted) {
      absl::MutexLock lock(&mutex);
      const auto come = [&] { return welcomes >= wanted; };
      ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&come), kPatience)) << welcomes;
      agent.Cut();
    }
  }
}

}  // namespace
}  // namespace zcluster::test
