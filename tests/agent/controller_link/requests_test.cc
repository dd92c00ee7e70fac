// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "agent/controller_link/limits.h"
#include "tests/agent/controller_link/node.h"

namespace zcluster::controller_link {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::FleetRequest Request(uint64_t id, v1::Right right = v1::RIGHT_OPERATOR) {
  v1::FleetRequest request;
  request.set_id(id);
  request.set_who("operator anna");
  request.set_from("192.0.2.7");
  request.set_right(right);
  return request;
}
v1::FleetRequest Switchover(uint64_t id, v1::Right right = v1::RIGHT_OPERATOR) {
  v1::FleetRequest request = Request(id, right);
  request.mutable_switchover();
  return request;
}
v1::FleetRequest Command(uint64_t id) {
  v1::FleetRequest request = Request(id);
  request.mutable_run()->set_name("flush");
  return request;
}

class RequestsTest : public testing::Test {
 protected:
  RequestsTest() { node_.Enrolled(); }
  void Connect() {
    node_.Start();
    stream_ = fleet_.AwaitAgent();
    ASSERT_NE(stream_, nullptr) << node_.State().ShortDebugString();
  }
  int Begun() {
    int begun = 0;
    node_.loop.Do([&] { begun = node_.services.begun; });
    return begun;
  }
  void Hold() {
    node_.loop.Do([&] { node_.services.holds = true; });
  }
  void AwaitHeld(size_t count) {
    node_.Await([&](const auto&) {
      size_t held = 0;
      node_.loop.Do([&] { held = node_.services.held.size(); });
      return held >= count;
    });
  }

  Fleet fleet_;
  Node node_{fleet_};
  std::shared_ptr<Served> stream_;
};

TEST(CallerOf, HasTheLowerRightAndSaysWhoHandedItOn) {
  const Origin origin{"ctl1", "10.40.0.5"};
  access::Caller caller = CallerOf(Request(1, v1::RIGHT_ADMIN), origin, access::Right::kOperator);
  EXPECT_EQ(caller.name, "operator anna (by controller ctl1)");
  EXPECT_EQ(caller.from, "controller 10.40.0.5, for 192.0.2.7");
  EXPECT_EQ(caller.right, access::Right::kOperator);
  EXPECT_EQ(CallerOf(Request(1, v1::RIGHT_VIEWER), origin, access::Right::kAdmin).right,
            access::Right::kViewer);
  EXPECT_EQ(CallerOf(Request(1, v1::RIGHT_UNSPECIFIED), origin, access::Right::kAdmin).right,
            access::Right::kNone);
  EXPECT_EQ(CallerOf(Request(1, static_cast<v1::Right>(99)), origin, access::Right::kAdmin).right,
            access::Right::kNone);
}

TEST(CallerOf, IsOneShortLineWhateverTheControllerSays) {
  v1::FleetRequest request = Request(1);
  request.set_who("root\n" + std::string(10'000, 'x'));
  request.set_from(std::string(10'000, '\n'));
  const access::Caller caller = CallerOf(request, {"ctl1", "10.40.0.5"}, access::Right::kViewer);
  EXPECT_LT(caller.name.size() + caller.from.size(), 1024U);
  EXPECT_EQ(caller.name.find('\n'), std::string::npos);
  EXPECT_EQ(caller.from.find('\n'), std::string::npos);
  EXPECT_THAT(caller.name, HasSubstr("(by controller ctl1)"));
}

TEST_F(RequestsTest, AreCarriedOutByTheNodesOwnServicesAndAudited) {
  Connect();
  stream_->Ask(Switchover(7));
  const auto progress = stream_->AwaitRequest(7);
  ASSERT_EQ(progress.size(), 2U);
  EXPECT_EQ(progress[0].step().what(), "begun");
  EXPECT_EQ(progress[1].end().code(), 0);
  EXPECT_THAT(node_.Audit(1),
              ElementsAre("operator anna (by controller ctl1) | controller 127.0.0.1, for "
                          "192.0.2.7 | MaintenanceService/Switchover asked | OK"));
}

TEST_F(RequestsTest, MaintenanceAndCommandsToo) {
  Connect();
  v1::FleetRequest enter = Request(1);
  enter.mutable_enter_maintenance();
  v1::FleetRequest start = Request(2);
  start.mutable_start_maintenance();
  stream_->Ask(enter);
  stream_->Ask(start);
  stream_->Ask(Command(3));
  EXPECT_EQ(stream_->AwaitRequest(1).back().end().code(), 0);
  EXPECT_EQ(stream_->AwaitRequest(2).back().end().code(), 0);
  const auto run = stream_->AwaitRequest(3);
  ASSERT_EQ(run.size(), 4U);
  EXPECT_EQ(run[0].run_event().standard_output(), std::string(10, 'a'));
  EXPECT_EQ(run[2].run_event().standard_output(), std::string(10, 'c'));
  EXPECT_EQ(node_.Audit(3).size(), 3U);
}

TEST_F(RequestsTest, TheNodesCeilingRefusesAndAudits) {
  node_.options.allow = access::Right::kViewer;
  Connect();
  stream_->Ask(Switchover(1, v1::RIGHT_ADMIN));
  const auto progress = stream_->AwaitRequest(1);
  ASSERT_EQ(progress.size(), 1U);
  EXPECT_EQ(progress[0].end().code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(progress[0].end().message(), HasSubstr("has the right viewer, but"));
  EXPECT_EQ(Begun(), 0);
  EXPECT_THAT(node_.Audit(1), ElementsAre(HasSubstr("Switchover | PERMISSION_DENIED")));
}

TEST_F(RequestsTest, TheOperatorsLowerRightRefusesToo) {
  Connect();
  stream_->Ask(Switchover(1, v1::RIGHT_VIEWER));
  stream_->Ask(Switchover(2, v1::RIGHT_UNSPECIFIED));
  EXPECT_EQ(stream_->AwaitRequest(1).back().end().code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(stream_->AwaitRequest(2).back().end().code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Begun(), 0);
}

TEST_F(RequestsTest, OneThatComesTwiceIsCarriedOutOnce) {
  Connect();
  stream_->Ask(Switchover(5));
  stream_->Ask(Switchover(5));
  stream_->Ask(Switchover(0));
  stream_->Ask(Switchover(4));
  stream_->Ask(Switchover(6));
  EXPECT_EQ(stream_->AwaitRequest(5).size(), 2U);
  EXPECT_EQ(stream_->AwaitRequest(6).size(), 2U);
  EXPECT_EQ(Begun(), 2);
}

TEST_F(RequestsTest, AnUnknownOneIsSaidToBeUnknown) {
  Connect();
  stream_->Ask(Request(1));
  EXPECT_EQ(stream_->AwaitRequest(1).back().end().code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(RequestsTest, NoMoreThanEightRunAtOnce) {
  Connect();
  Hold();
  for (uint64_t id = 1; id <= kMaxRequests + 1; ++id) stream_->Ask(Switchover(id));
  EXPECT_EQ(stream_->AwaitRequest(kMaxRequests + 1).back().end().code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  AwaitHeld(kMaxRequests);
  node_.loop.Do([&] {
    ASSERT_EQ(node_.services.held.size(), kMaxRequests);
    node_.services.held[0]->Close(absl::OkStatus());
    node_.services.holds = false;
  });
  EXPECT_EQ(stream_->AwaitRequest(1).back().end().code(), 0);
  stream_->Ask(Switchover(100));
  EXPECT_EQ(stream_->AwaitRequest(100).back().end().code(), 0) << "there is room again";
}

TEST_F(RequestsTest, GoOnWhenTheStreamBreaks) {
  Connect();
  Hold();
  stream_->Ask(Switchover(1));
  AwaitHeld(1);
  stream_->End({grpc::StatusCode::UNAVAILABLE, "the controller is stopping"});
  stream_ = fleet_.AwaitAgent();
  ASSERT_NE(stream_, nullptr);
  node_.loop.Do([&] {
    EXPECT_TRUE(node_.services.held[0]->open()) << "nobody has cancelled it";
    node_.services.holds = false;
    node_.services.held[0]->Close(absl::OkStatus());
  });
  EXPECT_THAT(node_.Audit(1), ElementsAre(HasSubstr("Switchover asked | OK")));
  stream_->Ask(Switchover(1));  // ids are a stream's own
  EXPECT_EQ(stream_->AwaitRequest(1).size(), 2U);
}

TEST_F(RequestsTest, MuchOutputComesWholeAndInOrder) {
  node_.loop.Do([&] {
    node_.services.output = 60;
    node_.services.piece = 64 << 10;
  });
  Connect();
  stream_->Ask(Command(1));
  const auto progress = stream_->AwaitRequest(1);
  ASSERT_EQ(progress.size(), 61U);
  for (size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(progress[i].run_event().standard_output()[0], static_cast<char>('a' + i % 26));
  }
}

TEST_F(RequestsTest, RefusalsThatNobodyReadsStopTheAsking) {
  fleet_.Hang();
  node_.Start();
  stream_ = fleet_.AwaitStream();
  ASSERT_NE(stream_, nullptr);
  stream_->Welcome();
  ASSERT_TRUE(node_.AwaitConnected().connected());
  v1::FleetRequest big = Request(0);
  big.set_from(std::string(100'000, 'x'));
  for (uint64_t id = 1; id <= 900; ++id) {
    big.set_id(id);
    stream_->Ask(big);
  }
  EXPECT_TRUE(node_.State().connected());
  node_.Stop();
  EXPECT_LT(node_.stop_took, absl::Seconds(1));
}

}  // namespace
}  // namespace zcluster::controller_link
