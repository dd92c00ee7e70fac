// SPDX-License-Identifier: Apache-2.0
#include "tests/controller/api/api_house.h"

namespace zcluster::controller {
namespace {

using testing::HasSubstr;

class SteeringTest : public testing::Test, protected ApiHouse {
 protected:
  // Waits for the wish that reaches an agent.
  FakeAgents::Asked Asked() {
    EXPECT_TRUE(Wait([this] { return !house.agents.asked.empty(); }));
    FakeAgents::Asked asked;
    Do([&] { asked = house.agents.asked.back(); });
    return asked;
  }
  void Say(const FakeAgents::Asked& asked, const v1::RequestProgress& said) {
    Do([&] { asked.progress(said); });
  }
  void End(const FakeAgents::Asked& asked, int code, const std::string& message) {
    v1::RequestProgress said;
    said.mutable_end()->set_code(code);
    said.mutable_end()->set_message(message);
    Say(asked, said);
  }

  Context call_;
};

TEST_F(SteeringTest, HandsASwitchoverToTheMasterOnBehalfOfTheCaller) {
  v1::FleetSwitchoverRequest request;
  request.set_reason("new disk");
  request.set_pair("web-1");
  request.set_force(true);
  const auto reader = fleet->Switchover(&call_, request);
  const FakeAgents::Asked asked = Asked();
  EXPECT_EQ(asked.agent, house.lb1);
  EXPECT_TRUE(asked.request.switchover().force());
  EXPECT_EQ(asked.request.switchover().reason(), "new disk");
  EXPECT_EQ(asked.request.who(), "root");
  EXPECT_EQ(asked.request.right(), v1::RIGHT_ADMIN);
  v1::RequestProgress said;
  said.mutable_step()->set_what("flows\x07 acknowledged");
  Say(asked, said);
  End(asked, 9, "lb2 is not ready");
  v1::Step step;
  ASSERT_TRUE(reader->Read(&step));
  EXPECT_EQ(step.what(), "asked web-1/lb1");
  ASSERT_TRUE(reader->Read(&step));
  EXPECT_EQ(step.what(), "flows\\x07 acknowledged");
  EXPECT_FALSE(reader->Read(&step));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "lb2 is not ready");
  EXPECT_EQ(guard.WaitForEnd(1),
            "zcluster.v1.FleetService/Switchover pair=web-1 force reason=new disk: "
            "FAILED_PRECONDITION: lb2 is not ready");
}

TEST_F(SteeringTest, AsksTheNodeThatIsMeant) {
  v1::FleetEnterRequest enter;
  enter.set_pair("web-1");
  enter.set_node("lb2");
  enter.set_reason("new disk");
  enter.mutable_length()->set_seconds(7200);
  const auto reader = fleet->EnterMaintenance(&call_, enter);
  EXPECT_EQ(Asked().agent, house.lb2);
  EXPECT_TRUE(Asked().request.has_enter_maintenance());
  EXPECT_EQ(Asked().request.enter_maintenance().reason(), "new disk");
  EXPECT_EQ(Asked().request.enter_maintenance().length().seconds(), 7200);
  End(Asked(), 0, "");
  v1::Step step;
  while (reader->Read(&step)) {
  }
  EXPECT_TRUE(reader->Finish().ok());

  v1::FleetStartRequest start;
  start.set_pair("web-1");
  start.set_node("lb9");
  Context another;
  EXPECT_EQ(fleet->StartMaintenance(&another, start)->Finish().error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(SteeringTest, SaysThatNobodyCanBeAsked) {
  Do([this] {
    house.Leave(house.lb1);
    house.Leave(house.lb2);
  });
  v1::FleetSwitchoverRequest request;
  request.set_pair("web-1");
  const grpc::Status status = fleet->Switchover(&call_, request)->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("no agent of web-1 is connected: last heard"));
}

TEST_F(SteeringTest, RunsACommandAndAuditsItsNameAlone) {
  v1::FleetRunRequest request;
  request.set_pair("web-1");
  request.mutable_run()->set_name("restart");
  (*request.mutable_run()->mutable_arguments())["password"] = "hunter2";
  const auto reader = fleet->Run(&call_, request);
  const FakeAgents::Asked asked = Asked();
  EXPECT_EQ(asked.request.run().arguments().at("password"), "hunter2");
  v1::RequestProgress said;
  said.mutable_run_event()->set_node("lb1");
  said.mutable_run_event()->set_standard_output(std::string("\x1b\0x", 3));
  Say(asked, said);
  End(asked, 77, "strange");
  v1::RunEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.standard_output(), std::string("\x1b\0x", 3)) << "bytes stay as they are";
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(guard.WaitForEnd(1),
            "zcluster.v1.FleetService/Run pair=web-1 name=restart: UNKNOWN: strange");
}

}  // namespace
}  // namespace zcluster::controller
