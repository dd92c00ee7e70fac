// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/controller_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "common/protocol.h"
#include "common/unique_fd.h"
#include "tests/agent/controller_link/node.h"

namespace zcluster::controller_link {
namespace {

using testing::HasSubstr;

v1::GetStatusResponse Looks(v1::Role role, uint64_t flows = 0) {
  v1::GetStatusResponse status;
  status.set_pair("lab");
  status.add_nodes()->set_role(role);
  status.mutable_conntrack()->set_flows(flows);
  return status;
}

class ControllerLinkTest : public testing::Test {
 protected:
  ControllerLinkTest() { node_.Enrolled(); }

  std::shared_ptr<Served> Connect(uint64_t taken = 0) {
    node_.Start();
    return fleet_.AwaitAgent(taken);
  }
  // Waits a while in which something must not happen.
  void Pass(absl::Duration time) {
    const absl::Time since = absl::Now();
    node_.Await([&](const v1::ControllerState&) { return absl::Now() - since > time; });
  }
  void AddEvents(int count) {
    node_.loop.Do([&] { node_.journal.Add(count); });
  }

  Fleet fleet_;
  Node node_{fleet_};
};

TEST_F(ControllerLinkTest, SaysWhoItIs) {
  AddEvents(3);
  node_.Start();
  const auto stream = fleet_.AwaitStream();
  ASSERT_NE(stream, nullptr) << node_.State().ShortDebugString();
  const auto hello = stream->Await(v1::AgentMessage::kHello);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->hello().pair(), "lab");
  EXPECT_EQ(hello->hello().node(), "lb1");
  EXPECT_EQ(hello->hello().protocol(), kFleetProtocol);
  EXPECT_EQ(hello->hello().allow(), v1::RIGHT_OPERATOR);
  EXPECT_EQ(hello->hello().journal().size(), 32U);
  EXPECT_EQ(hello->hello().first_event(), 1U);
  EXPECT_EQ(hello->hello().last_event(), 3U);
  EXPECT_FALSE(node_.State().connected()) << "before Welcome";
}

TEST_F(ControllerLinkTest, ReportsAtOnceAndAtEachChangeThatMatters) {
  node_.Show(Looks(v1::ROLE_BACKUP));
  const auto stream = Connect();
  ASSERT_NE(stream, nullptr);
  const auto first = stream->Await(v1::AgentMessage::kReport);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->report().status().nodes(0).role(), v1::ROLE_BACKUP);
  node_.Show(Looks(v1::ROLE_BACKUP, 7));  // a counter alone
  Pass(absl::Milliseconds(600));
  EXPECT_EQ(stream->Count(v1::AgentMessage::kReport), 0U);
  node_.Show(Looks(v1::ROLE_MASTER));
  const auto second = stream->Await(v1::AgentMessage::kReport);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->report().status().nodes(0).role(), v1::ROLE_MASTER);
}

TEST_F(ControllerLinkTest, ManyChangesAreOneReport) {
  const auto stream = Connect();
  ASSERT_NE(stream, nullptr);
  ASSERT_TRUE(stream->Await(v1::AgentMessage::kReport));
  const absl::Time began = absl::Now();
  for (uint64_t i = 1; i <= 500; ++i) {
    v1::GetStatusResponse status = Looks(v1::ROLE_BACKUP);
    status.set_term(i);
    node_.Show(status);
  }
  EXPECT_TRUE(
      stream->Await([](const v1::AgentMessage& m) { return m.report().status().term() == 500; }));
  const double rounds = absl::FDivDuration(absl::Now() - began, Reports::kGap);
  EXPECT_LE(static_cast<double>(stream->Count(v1::AgentMessage::kReport)), rounds + 2);
}

TEST_F(ControllerLinkTest, ReportsAtTheControllersPace) {
  node_.Start();
  const auto stream = fleet_.AwaitStream();
  ASSERT_NE(stream, nullptr);
  stream->Welcome(0, absl::Seconds(1));
  const absl::Time began = absl::Now();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(stream->Await(v1::AgentMessage::kReport));
  EXPECT_GE(absl::Now() - began, absl::Milliseconds(2600));  // three intervals, less a tenth each
}

TEST_F(ControllerLinkTest, TellsEventsBehindWhatTheControllerHas) {
  AddEvents(600);
  const auto stream = Connect(10);
  ASSERT_NE(stream, nullptr);
  uint64_t next = 11;
  while (next <= 600) {
    const auto batch = stream->Await(v1::AgentMessage::kEvents);
    ASSERT_TRUE(batch) << next;
    EXPECT_LE(batch->events().events_size(), 256);
    for (const v1::Event& event : batch->events().events()) ASSERT_EQ(event.number(), next++);
  }
  stream->Taken(600);
  AddEvents(1);
  const auto more = stream->Await(v1::AgentMessage::kEvents);
  ASSERT_TRUE(more);
  EXPECT_EQ(more->events().events(0).number(), 601U);
  EXPECT_EQ(
      node_.Await([](const auto& state) { return state.events_waiting() == 1; }).events_waiting(),
      1U);
  stream->Taken(601);
  EXPECT_EQ(
      node_.Await([](const auto& state) { return state.events_waiting() == 0; }).events_waiting(),
      0U);
}

TEST_F(ControllerLinkTest, RunsNoFurtherAheadThanFourBatches) {
  AddEvents(2000);
  const auto stream = Connect();
  ASSERT_NE(stream, nullptr);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(stream->Await(v1::AgentMessage::kEvents));
  Pass(absl::Milliseconds(500));
  EXPECT_EQ(stream->Count(v1::AgentMessage::kEvents), 0U);
  stream->Taken(5);        // not a whole batch
  stream->Taken(1 << 20);  // more than it was told
  Pass(absl::Milliseconds(300));
  EXPECT_EQ(stream->Count(v1::AgentMessage::kEvents), 0U);
  stream->Taken(256);
  EXPECT_TRUE(stream->Await(v1::AgentMessage::kEvents));
}

TEST_F(ControllerLinkTest, ACutLosesNoEventAndRepeatsNoneThatWasTaken) {
  AddEvents(700);
  auto stream = Connect();
  ASSERT_NE(stream, nullptr);
  ASSERT_TRUE(stream->Await(v1::AgentMessage::kEvents));
  stream->Taken(256);  // the rest was sent, perhaps, and is lost
  stream->End({grpc::StatusCode::UNAVAILABLE, "the controller is stopping"});
  AddEvents(100);
  stream = fleet_.AwaitAgent(256);
  ASSERT_NE(stream, nullptr) << node_.State().ShortDebugString();
  uint64_t next = 257;
  while (next <= 800) {
    const auto batch = stream->Await(v1::AgentMessage::kEvents);
    ASSERT_TRUE(batch) << next;
    for (const v1::Event& event : batch->events().events()) ASSERT_EQ(event.number(), next++);
  }
}

TEST_F(ControllerLinkTest, ComesBackWhenTheStreamEndsAndSaysWhyItWasAway) {
  auto stream = Connect();
  ASSERT_NE(stream, nullptr);
  EXPECT_TRUE(node_.AwaitConnected().connected());
  fleet_.Refuse({grpc::StatusCode::UNAVAILABLE, "the fleet rests"});
  stream->End({grpc::StatusCode::UNAVAILABLE, "the controller is stopping"});
  const v1::ControllerState away = node_.AwaitProblem("the fleet rests");
  EXPECT_FALSE(away.connected());
  EXPECT_THAT(away.problem(), HasSubstr(fleet_.address()));
  fleet_.Refuse(grpc::Status::OK);
  ASSERT_NE(fleet_.AwaitAgent(), nullptr);
  EXPECT_TRUE(node_.AwaitConnected().connected());
}

TEST_F(ControllerLinkTest, AddressesAreTriedInOrder) {
  node_.options.addresses = {"127.0.0.1:1", fleet_.address()};
  ASSERT_NE(Connect(), nullptr);
  EXPECT_EQ(node_.AwaitConnected().address(), fleet_.address());
}

TEST_F(ControllerLinkTest, AControllerOfAnotherFleetIsNotTalkedTo) {
  Fleet other("fleet");  // the same name, another CA
  node_.options.addresses = {other.address()};
  node_.Start();
  node_.AwaitProblem("the controller's certificate");
  EXPECT_THAT(node_.State().problem(), HasSubstr("the controller's certificate"));
  EXPECT_EQ(other.streams(), 0);
}

TEST_F(ControllerLinkTest, AnotherVersionIsSaid) {
  node_.Start();
  const auto stream = fleet_.AwaitStream();
  ASSERT_NE(stream, nullptr);
  v1::ControllerMessage message;
  message.mutable_welcome()->set_protocol(kFleetProtocol + 2);
  stream->Send(message);
  EXPECT_THAT(node_.AwaitProblem("version").problem(), HasSubstr("bring both to the same release"));
}

TEST_F(ControllerLinkTest, WhoSpeaksBeforeWelcomeIsNoController) {
  node_.Start();
  const auto stream = fleet_.AwaitStream();
  ASSERT_NE(stream, nullptr);
  stream->Taken(1);
  EXPECT_THAT(node_.AwaitProblem("before its Welcome").problem(), HasSubstr(fleet_.address()));
}

TEST_F(ControllerLinkTest, ShowsFlowsWhileTheControllerWantsThem) {
  const auto stream = Connect();
  ASSERT_NE(stream, nullptr);
  v1::ControllerMessage subscription;
  subscription.mutable_flows()->set_max_per_second(5000);
  stream->Send(subscription);
  node_.Await([&](const auto&) { return !node_.services.watchers.empty(); });
  node_.loop.Do([&] {
    ASSERT_EQ(node_.services.rates, std::vector<uint32_t>{1000});
    v1::FlowsSeen seen;
    seen.set_node("lb1");
    seen.add_flows();
    node_.services.watchers.back()->Write(seen);
  });
  const auto flows = stream->Await(v1::AgentMessage::kFlows);
  ASSERT_TRUE(flows);
  EXPECT_EQ(flows->flows().node(), "lb1");
  subscription.mutable_flows()->set_max_per_second(0);
  stream->Send(subscription);
  const auto ended = [&](const auto&) { return !node_.services.watchers.back()->open(); };
  node_.Await(ended);
  EXPECT_TRUE(ended(0)) << "nobody looks any more";
}

// The flood is bounded by how fast it is read: it stays with whoever sends it.
TEST_F(ControllerLinkTest, ReadsAFloodNoFasterThanItsLimit) {
  const auto stream = Connect();
  ASSERT_NE(stream, nullptr);
  v1::ControllerMessage big;
  big.mutable_certificate()->set_problem(std::string(100'000, 'x'));
  constexpr size_t kFlood = 3000;
  for (size_t i = 0; i < kFlood; ++i) stream->Send(big);
  Pass(absl::Seconds(4));
  // A burst of 1,000 and 100 a second, and what the network holds: some are still to be sent.
  EXPECT_GT(stream->unsent(), kFlood / 3);
  EXPECT_TRUE(node_.State().connected());
  node_.Show(Looks(v1::ROLE_MASTER));
  EXPECT_TRUE(stream->Await([](const v1::AgentMessage& m) {
    return m.report().status().nodes_size() > 0;
  })) << "and the node is heard meanwhile";
}

TEST_F(ControllerLinkTest, AControllerThatTakesNothingCostsNoMemory) {
  fleet_.Hang();
  node_.Start();
  const auto stream = fleet_.AwaitStream();
  ASSERT_NE(stream, nullptr);
  stream->Welcome();
  ASSERT_TRUE(node_.AwaitConnected().connected());
  AddEvents(5000);
  for (uint64_t i = 1; i <= 50; ++i) {
    v1::GetStatusResponse status = Looks(v1::ROLE_BACKUP);
    status.set_term(i);
    status.add_not_ready(std::string(50'000, 'x'));
    node_.Show(status);
    Pass(absl::Milliseconds(20));
  }
  stream->ReadOn();
  // What waited is the newest, not all.
  const auto last =
      stream->Await([](const v1::AgentMessage& m) { return m.report().status().term() == 50; });
  ASSERT_TRUE(last);
  EXPECT_LT(stream->Count(v1::AgentMessage::kReport), 10U);
  EXPECT_LE(stream->Count(v1::AgentMessage::kEvents), 4U);
}

// gRPC tells the end of a stream only behind what came before it: whoever stops reading because its
// own answers are not taken must read on once nothing can be written any more.
TEST_F(ControllerLinkTest, LeavesAStreamThatEndsWhileItsAnswersAreNotTaken) {
  fleet_.Hang();
  node_.Start();
  const auto stream = fleet_.AwaitStream();
  ASSERT_NE(stream, nullptr);
  stream->Welcome();
  ASSERT_TRUE(node_.AwaitConnected().connected());
  // What fills the wire, then requests whose refusals have nowhere to go.
  v1::GetStatusResponse status = Looks(v1::ROLE_BACKUP);
  for (int i = 0; i < 4; ++i) status.add_not_ready(std::string(50'000, 'x'));
  node_.Show(status);
  for (uint64_t id = 1; id <= 3000; ++id) {
    v1::FleetRequest request;
    request.set_id(id);
    request.set_right(v1::RIGHT_VIEWER);
    request.set_from(std::string(2000, 'x'));
    request.mutable_switchover();
    stream->Ask(std::move(request));
  }
  Pass(absl::Seconds(3));
  EXPECT_GT(stream->unsent(), 0U) << "the agent reads on, whatever becomes of its answers";
  stream->End({grpc::StatusCode::UNAVAILABLE, "the controller is stopping"});
  EXPECT_NE(fleet_.AwaitStream(), nullptr) << "the agent does not see the end";
}

TEST_F(ControllerLinkTest, StopsAtOnceWithAControllerThatHangs) {
  fleet_.Hang();
  node_.Start();
  const auto stream = fleet_.AwaitStream();
  ASSERT_NE(stream, nullptr);
  stream->Welcome();
  ASSERT_TRUE(node_.AwaitConnected().connected());
  AddEvents(5000);
  node_.Stop();
  EXPECT_LT(node_.stop_took, absl::Seconds(1));
}

// A port that takes connections and says nothing, as a process that was stopped does.
TEST_F(ControllerLinkTest, AControllerThatSaysNothingIsGivenUp) {
  const UniqueFd silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(silent.get(), 5), 0);
  socklen_t size = sizeof address;
  ::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &size);
  node_.options.addresses = {absl::StrCat("127.0.0.1:", ntohs(address.sin_port)), fleet_.address()};
  node_.options.patience = absl::Milliseconds(500);
  node_.Start();
  const auto stream = fleet_.AwaitAgent();
  EXPECT_NE(stream, nullptr) << "the next address is tried";
  node_.Stop();
  EXPECT_LT(node_.stop_took, absl::Seconds(1));
}

TEST_F(ControllerLinkTest, WorksWithoutAJournal) {
  node_.has_journal = false;
  node_.Start();
  const auto stream = fleet_.AwaitStream();
  ASSERT_NE(stream, nullptr);
  const auto hello = stream->Await(v1::AgentMessage::kHello);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->hello().journal(), "");
  stream->Welcome(100);
  EXPECT_TRUE(stream->Await(v1::AgentMessage::kReport));
  EXPECT_EQ(node_.State().events_waiting(), 0U);
}

}  // namespace
}  // namespace zcluster::controller_link
