// SPDX-License-Identifier: Apache-2.0
#include "agent/api/maintenance_service.h"

#include <gmock/gmock.h>

#include "tests/agent/api/node.h"

namespace zcluster::api {
namespace {

using core::OperationKind;
using core::Role;
using testing::HasSubstr;

TEST(Maintenance, StreamsTheStepsOfASwitchoverAndItsEnd) {
  Node node;
  node.Publish(Role::kMaster, Role::kBackup);
  Call call(node.LocalChannel());
  call.Switchover(/*force=*/true);
  const core::OperationAsked asked = node.brain.WaitFor(1);
  EXPECT_EQ(asked.kind, OperationKind::kSwitchover);
  EXPECT_TRUE(asked.force);
  EXPECT_EQ(asked.operation.value, 1u) << "0 is the brain's own";
  node.Perform(core::Progressed{asked.operation, "flows acknowledged"});
  EXPECT_EQ(call.Step(), "flows acknowledged") << "a step must not wait for the next";
  EXPECT_GT(call.last().at().nanos(), 0);
  node.Perform(core::Progressed{asked.operation, "node2 serves"});
  node.Perform(core::Finished{asked.operation, absl::OkStatus()});
  EXPECT_EQ(call.Step(), "node2 serves");
  EXPECT_TRUE(call.End().ok());
}

TEST(Maintenance, ANodeThatIsNotMasterLeavesByDoingNothing) {
  Node node;
  node.Publish(Role::kBackup, Role::kMaster);
  v1::SwitchoverRequest request;
  request.set_leave(true);
  Call backup(node.LocalChannel());
  backup.Switchover(request);
  EXPECT_THAT(backup.Step(), HasSubstr("there is nothing to hand over"));
  EXPECT_TRUE(backup.End().ok());
  EXPECT_EQ(node.brain.asked(), 0u);
  node.Publish(Role::kMaster, Role::kBackup);
  Call master(node.LocalChannel());
  master.Switchover(request);
  const core::OperationAsked asked = node.brain.WaitFor(1);
  EXPECT_EQ(asked.kind, OperationKind::kSwitchover);
  node.Perform(core::Finished{asked.operation, absl::OkStatus()});
  EXPECT_TRUE(master.End().ok());
}

TEST(Maintenance, EnterAndStartAreAskedOfThisNodeWhateverItsRole) {
  Node node;
  node.Publish(Role::kBackup, Role::kMaster);
  Call enter(node.LocalChannel());
  enter.Enter();
  EXPECT_EQ(node.brain.WaitFor(1).kind, OperationKind::kEnterMaintenance);
  EXPECT_FALSE(node.brain.WaitFor(1).force);
  Call start(node.LocalChannel());
  start.Start();
  const core::OperationAsked asked = node.brain.WaitFor(2);
  EXPECT_EQ(asked.kind, OperationKind::kStartMaintenance);
  EXPECT_EQ(asked.operation.value, 2u);
  node.Perform(core::Finished{asked.operation, absl::FailedPreconditionError("busy")});
  const grpc::Status end = start.End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(end.error_message(), "busy");
}

TEST(Maintenance, HandsOnWhyAndHowLong) {
  Node node;
  node.Publish(Role::kBackup, Role::kMaster);
  v1::EnterRequest request;
  request.set_reason("new disk, caf\xc3\xa9");
  request.mutable_length()->set_seconds(7200);
  Call enter(node.LocalChannel());
  enter.Enter(request);
  const core::OperationAsked asked = node.brain.WaitFor(1);
  EXPECT_EQ(asked.reason, "new disk, caf\xc3\xa9");
  EXPECT_EQ(asked.length, absl::Hours(2));
  node.Perform(core::Finished{asked.operation, absl::OkStatus()});
  EXPECT_EQ(node.guard.WaitForEnd(1),
            "zcluster.v1.MaintenanceService/Enter for=2h reason=new disk, caf\xc3\xa9: OK");
}

TEST(Maintenance, RefusesAReasonThatCannotBeShownAndALengthThatIsNone) {
  Node node;
  node.Publish(Role::kBackup, Role::kMaster);
  const auto refusal = [&](const std::string& reason, int64_t seconds) {
    v1::EnterRequest request;
    request.set_reason(reason);
    request.mutable_length()->set_seconds(seconds);
    const grpc::Status end = Call(node.LocalChannel()).Enter(request).End();
    EXPECT_EQ(end.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return end.error_message();
  };
  EXPECT_EQ(refusal(std::string(257, 'x'), 60), "reason: 257 bytes; at most 256 are allowed");
  EXPECT_THAT(refusal("two\nlines", 60), HasSubstr("reason: has a control character"));
  EXPECT_EQ(refusal("", 0), "length: 0: use 1s to 8760h");
  EXPECT_EQ(refusal("", -5), "length: -5s: use 1s to 8760h");
  EXPECT_EQ(refusal("", 8760 * 3600 + 1), "length: 8760h1s: use 1s to 8760h");
  EXPECT_EQ(node.brain.asked(), 0u);
}

TEST(Maintenance, FreezeAndUnfreezeAreAskedOfThisNode) {
  Node node;
  node.Publish(Role::kBackup, Role::kMaster);
  EXPECT_THAT(Call(node.LocalChannel()).Freeze("two\nlines").End().error_message(),
              HasSubstr("reason: has a control character"));
  Call freeze(node.LocalChannel());
  freeze.Freeze("switch upgrade");
  const core::OperationAsked asked = node.brain.WaitFor(1);
  EXPECT_EQ(asked.kind, OperationKind::kFreeze);
  EXPECT_EQ(asked.reason, "switch upgrade");
  node.Perform(core::Finished{asked.operation, absl::OkStatus()});
  EXPECT_TRUE(freeze.End().ok());
  Call unfreeze(node.LocalChannel());
  unfreeze.Unfreeze();
  EXPECT_EQ(node.brain.WaitFor(2).kind, OperationKind::kUnfreeze);
  node.Perform(core::Finished{node.brain.WaitFor(2).operation, absl::OkStatus()});
  EXPECT_TRUE(unfreeze.End().ok());
}

TEST(Maintenance, TheBrainsOwnOperationsReachNobody) {
  Node node;
  node.Publish(Role::kMaster, Role::kBackup);
  Call call(node.LocalChannel());
  call.Switchover();
  const core::OperationId id = node.brain.WaitFor(1).operation;
  node.Perform(core::Progressed{core::OperationId{0}, "failback"});
  node.Perform(core::Finished{core::OperationId{0}, absl::OkStatus()});
  node.Perform(core::Progressed{id, "mine"});
  node.Perform(core::Finished{id, absl::OkStatus()});
  EXPECT_EQ(call.Step(), "mine");
  EXPECT_TRUE(call.End().ok());
}

TEST(Maintenance, AClientThatGoesAwayDoesNotStopTheOperation) {
  Node node;
  node.Publish(Role::kMaster, Role::kBackup);
  core::OperationId id;
  {
    Call call(node.LocalChannel());
    call.Switchover();
    id = node.brain.WaitFor(1).operation;
    node.Perform(core::Progressed{id, "one"});
    EXPECT_EQ(call.Step(), "one");
    call.Cancel();
    EXPECT_EQ(call.End().error_code(), grpc::StatusCode::CANCELLED);
  }
  node.Perform(core::Progressed{id, "two"});
  node.Perform(core::Finished{id, absl::OkStatus()});
  EXPECT_EQ(node.brain.asked(), 1u) << "nothing must be asked of the brain in its stead";
}

TEST(Maintenance, IsRefusedWhileTheAgentStarts) {
  Node node;
  Call call(node.LocalChannel());
  const grpc::Status end = call.Switchover().End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(end.error_message(), HasSubstr("starting"));
}

TEST(Maintenance, SaysThatNobodyIsMaster) {
  Node other;
  Node node(other.PeerChannel());
  node.Publish(Role::kFault, Role::kUnknown);
  Call call(node.LocalChannel());
  const grpc::Status end = call.Switchover().End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(end.error_message(), HasSubstr("no node is known to be master: node1 is FAULT"));
  EXPECT_EQ(other.brain.asked() + node.brain.asked(), 0u);
}

TEST(Maintenance, ASwitchoverAskedOfTheBackupIsPassedOnToTheMaster) {
  Node master;
  master.Publish(Role::kMaster, Role::kBackup);
  Node backup(master.PeerChannel());
  backup.Publish(Role::kBackup, Role::kMaster);
  Call call(backup.LocalChannel());
  call.Switchover(/*force=*/true);
  EXPECT_EQ(call.Step(), "asked node2, the master");
  const core::OperationAsked asked = master.brain.WaitFor(1);
  EXPECT_EQ(asked.kind, OperationKind::kSwitchover);
  EXPECT_TRUE(asked.force);
  master.Perform(core::Progressed{asked.operation, "flows acknowledged"});
  EXPECT_EQ(call.Step(), "flows acknowledged");
  master.Perform(core::Finished{asked.operation, absl::DeadlineExceededError("nobody took over")});
  const grpc::Status end = call.End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(end.error_message(), "nobody took over");
  EXPECT_EQ(backup.brain.asked(), 0u);
}

// So that the master's journal says who it was, and not that its peer asked.
TEST(Maintenance, APassedOnSwitchoverNamesWhoAsksAndWhy) {
  Node master;
  master.Publish(Role::kMaster, Role::kBackup);
  Node backup(master.PeerChannel());
  backup.Publish(Role::kBackup, Role::kMaster);
  v1::SwitchoverRequest request;
  request.set_reason("new disk");
  request.set_asked_by("somebody else");  // is for a peer to say
  grpc::ClientContext context;
  auto reader =
      v1::MaintenanceService::NewStub(backup.LocalChannel())->Switchover(&context, request);
  const core::OperationAsked asked = master.brain.WaitFor(1);
  EXPECT_EQ(asked.by, "root");
  EXPECT_EQ(asked.reason, "new disk");
  context.TryCancel();
  reader->Finish();
  master.Perform(core::Finished{asked.operation, absl::OkStatus()});
}

TEST(Maintenance, ASwitchoverRefusesAReasonOfMoreThanALine) {
  Node node;
  node.Publish(Role::kMaster, Role::kBackup);
  v1::SwitchoverRequest request;
  request.set_reason("a\nb");
  grpc::ClientContext context;
  const grpc::Status status =
      v1::MaintenanceService::NewStub(node.LocalChannel())->Switchover(&context, request)->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("reason: has a control character"));
  EXPECT_EQ(node.brain.asked(), 0u);
}

TEST(Maintenance, APassedOnSwitchoverOutlivesItsClient) {
  Node master;
  master.Publish(Role::kMaster, Role::kBackup);
  Node backup(master.PeerChannel());
  backup.Publish(Role::kBackup, Role::kMaster);
  core::OperationId id;
  {
    Call call(backup.LocalChannel());
    call.Switchover();
    id = master.brain.WaitFor(1).operation;
    call.Cancel();
    call.End();
  }
  master.Perform(core::Progressed{id, "still at it"});
  master.Perform(core::Finished{id, absl::OkStatus()});
}

// Each takes the other for the master: the call must not go round.
TEST(Maintenance, IsPassedOnOnceAtMost) {
  Node other;
  other.Publish(Role::kBackup, Role::kMaster);
  Node node(other.PeerChannel());
  node.Publish(Role::kBackup, Role::kMaster);
  Call call(node.LocalChannel());
  const grpc::Status end = call.Switchover().End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(end.error_message(), HasSubstr("was asked as the master, but node1 is BACKUP"));
  EXPECT_EQ(other.brain.asked(), 0u);
}

TEST(Maintenance, AMasterThatDoesNotAnswerIsNamed) {
  std::string gone;
  {
    Node other;
    gone = other.peer_address;
  }
  Node node(grpc::CreateChannel(gone, grpc::InsecureChannelCredentials()));
  node.Publish(Role::kBackup, Role::kMaster);
  Call call(node.LocalChannel());
  const grpc::Status end = call.Switchover().End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(end.error_message(), HasSubstr("node2 is master but does not answer"));
}

TEST(Maintenance, AMasterLostHalfWayLeavesTheOutcomeOpen) {
  auto master = std::make_unique<Node>();
  master->Publish(Role::kMaster, Role::kBackup);
  Node backup(master->PeerChannel());
  backup.Publish(Role::kBackup, Role::kMaster);
  Call call(backup.LocalChannel());
  call.Switchover();
  const core::OperationId id = master->brain.WaitFor(1).operation;
  master->Perform(core::Progressed{id, "flows acknowledged"});
  EXPECT_EQ(call.Step(), "asked node2, the master");
  EXPECT_EQ(call.Step(), "flows acknowledged");
  master->StopServers();
  const grpc::Status end = call.End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_THAT(end.error_message(), HasSubstr("lost node2 during the switchover"));
}

TEST(Maintenance, ThePeerMayAskForASwitchoverOnly) {
  Node node;
  node.Publish(Role::kMaster, Role::kBackup);
  Call enter(node.PeerChannel());
  EXPECT_EQ(enter.Enter().End().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  Call start(node.PeerChannel());
  EXPECT_EQ(start.Start().End().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(node.brain.asked(), 0u);
}

TEST(Maintenance, WhoWaitsIsToldWhenTheAgentStops) {
  Node node;
  node.Publish(Role::kMaster, Role::kBackup);
  Call call(node.LocalChannel());
  call.Switchover();
  node.brain.WaitFor(1);
  node.OnLoop([&] { node.api.Stop(); });
  const grpc::Status end = call.End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(end.error_message(), HasSubstr("stopped before the operation ended"));
}

TEST(Maintenance, AVeryLongRefusalStillArrives) {
  Node node;
  node.Publish(Role::kMaster, Role::kBackup);
  Call call(node.LocalChannel());
  call.Switchover();
  const core::OperationId id = node.brain.WaitFor(1).operation;
  std::string reasons;
  while (reasons.size() < 50000) reasons += "\xc3\xa9t\xc3\xa9 ";
  node.Perform(core::Finished{id, absl::FailedPreconditionError(reasons)});
  const grpc::Status end = call.End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(end.error_message(), HasSubstr("\xc3\xa9t\xc3\xa9"));
}

TEST(Maintenance, IsRefusedInNoPairWithTheWayOut) {
  Options options = Node::DefaultOptions();
  options.unconfigured = true;
  Node node(nullptr, options);
  for (const grpc::Status& status :
       {Call(node.LocalChannel()).Switchover().End(), Call(node.LocalChannel()).Enter().End(),
        Call(node.LocalChannel()).Start().End()}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(status.error_message(), "node1 is in no pair; make one: zctl cluster create");
  }
}

TEST(Maintenance, IsAuditedWithItsOutcomeAlthoughTheClientLeft) {
  Node node;
  node.Publish(core::Role::kMaster, core::Role::kBackup);
  Call call(node.LocalChannel());
  call.Switchover(/*force=*/true);
  const core::OperationAsked asked = node.brain.WaitFor(1);
  call.Cancel();
  EXPECT_EQ(call.End().error_code(), grpc::StatusCode::CANCELLED);
  node.Perform(core::Finished{asked.operation, absl::OkStatus()});
  EXPECT_EQ(node.guard.WaitForEnd(1), "zcluster.v1.MaintenanceService/Switchover force: OK");
}

}  // namespace
}  // namespace zcluster::api
