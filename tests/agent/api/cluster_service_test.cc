// SPDX-License-Identifier: Apache-2.0
#include "agent/api/cluster_service.h"

#include <gmock/gmock.h>

#include "tests/agent/api/node.h"

namespace zcluster::api {
namespace {

v1::NodesResponse Nodes(const Node& node) {
  grpc::ClientContext call;
  v1::NodesResponse response;
  const grpc::Status status =
      v1::ClusterService::NewStub(node.LocalChannel())->Nodes(&call, v1::NodesRequest(), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

v1::GetStatusResponse Status(const Node& node) {
  grpc::ClientContext call;
  v1::GetStatusResponse response;
  const grpc::Status status = v1::ClusterService::NewStub(node.LocalChannel())
                                  ->GetStatus(&call, v1::GetStatusRequest(), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

TEST(ClusterService, SaysStartingBeforeTheFirstView) {
  Node node;
  const v1::NodesResponse response = Nodes(node);
  ASSERT_EQ(response.nodes_size(), 2);
  for (const v1::Node& shown : response.nodes()) {
    EXPECT_EQ(shown.role(), v1::ROLE_UNSPECIFIED);
    EXPECT_EQ(shown.status(), v1::STATUS_GREY);
    EXPECT_EQ(shown.message(), "starting");
  }
  EXPECT_EQ(response.nodes(1).hostname(), "node2");
  EXPECT_FALSE(Status(node).ready());
}

TEST(ClusterService, ShowsTheLatestViewLocalFirst) {
  Node node;
  node.Publish(core::Role::kBackup, core::Role::kMaster);
  node.Publish(core::Role::kMaster, core::Role::kBackup);
  const v1::NodesResponse response = Nodes(node);
  ASSERT_EQ(response.nodes_size(), 2);
  EXPECT_TRUE(response.nodes(0).local());
  EXPECT_EQ(response.nodes(0).role(), v1::ROLE_MASTER);
  EXPECT_EQ(response.nodes(0).hostname(), "node1");
  EXPECT_EQ(response.nodes(0).ip(), "10.0.0.1");
  EXPECT_FALSE(response.nodes(1).local());
  EXPECT_EQ(response.nodes(1).role(), v1::ROLE_BACKUP);
}

TEST(ClusterService, StatusTellsAllThatIsKnown) {
  Node node;
  core::View view = MakeView(core::Role::kMaster, core::Role::kBackup);
  view.not_ready = {"node2 lacks 3 flows"};
  view.readiness = {
      {.name = "clock", .node = "node2", .met = true, .warning = true, .evidence = "it is late"}};
  view.link = {true, "10.0.0.2:7700", "0.1.1", "", Loop::Now() - absl::Seconds(5)};
  view.conntrack.synchronised = true;
  view.conntrack.flows = 42;
  core::RootState root;
  root.path = "/etc/haproxy";
  view.roots = {root};
  node.Perform(core::Publish{view});
  const v1::GetStatusResponse status = Status(node);
  EXPECT_EQ(status.pair(), "lab");
  EXPECT_EQ(status.version(), "0.1.0");
  EXPECT_EQ(status.term(), 8u);
  EXPECT_FALSE(status.ready());
  ASSERT_EQ(status.not_ready_size(), 1);
  EXPECT_EQ(status.not_ready(0), "node2 lacks 3 flows");
  ASSERT_EQ(status.readiness_size(), 1);
  EXPECT_EQ(status.readiness(0).name(), "clock");
  EXPECT_EQ(status.readiness(0).node(), "node2");
  EXPECT_TRUE(status.readiness(0).met());
  EXPECT_TRUE(status.readiness(0).warning());
  EXPECT_EQ(status.readiness(0).evidence(), "it is late");
  EXPECT_GE(status.link().since().seconds(), 5);
  EXPECT_LT(status.link().since().seconds(), 60);
  EXPECT_EQ(status.link().version(), "0.1.1");
  EXPECT_EQ(status.conntrack().flows(), 42u);
  EXPECT_EQ(status.roots(0).path(), "/etc/haproxy");
  EXPECT_EQ(status.advert_interval().nanos(), 100000000);
  EXPECT_EQ(status.nodes_size(), 2);
}

TEST(ClusterService, ShowsTheNewConfigurationAtOnce) {
  Node node;
  node.Publish(core::Role::kMaster, core::Role::kBackup);
  Options options = Node::DefaultOptions();
  options.advert_interval = absl::Milliseconds(200);
  options.vips = {{"192.0.2.11/24", "front"}, {"192.0.2.12/24", "back"}};
  node.OnLoop([&] { node.api.Reconfigure(options); });
  const v1::GetStatusResponse status = Status(node);
  EXPECT_EQ(status.advert_interval().nanos(), 200000000);
  ASSERT_EQ(status.vips_size(), 2);
  EXPECT_EQ(status.vips(1).address(), "192.0.2.12/24");
  EXPECT_TRUE(status.vips(1).held());
}

TEST(ClusterService, VipsAreHeldByTheMasterAlone) {
  Node node;
  node.Publish(core::Role::kMaster, core::Role::kBackup);
  EXPECT_TRUE(Status(node).vips(0).held());
  EXPECT_EQ(Status(node).vips(0).interface(), "front");
  for (core::Role role : {core::Role::kBackup, core::Role::kMaintenance, core::Role::kFault}) {
    node.Publish(role, core::Role::kMaster);
    EXPECT_FALSE(Status(node).vips(0).held());
  }
}

TEST(ClusterService, AgesSayWhenThePeerWasHeard) {
  Node node;
  core::View view = MakeView(core::Role::kMaster, core::Role::kBackup);
  node.Perform(core::Publish{view});
  EXPECT_FALSE(Nodes(node).nodes(1).has_age()) << "never heard";
  view.heard = Loop::Now() - absl::Seconds(5);
  node.Perform(core::Publish{view});
  const v1::NodesResponse response = Nodes(node);
  EXPECT_TRUE(response.nodes(0).has_age());
  EXPECT_EQ(response.nodes(0).age().seconds(), 0);
  EXPECT_GE(response.nodes(1).age().seconds(), 5);
}

TEST(ClusterService, ANodeInNoPairShowsItselfAndTheWayOut) {
  Options options = Node::DefaultOptions();
  options.unconfigured = true;
  Node node(nullptr, options);
  const v1::NodesResponse response = Nodes(node);
  ASSERT_EQ(response.nodes_size(), 1);
  EXPECT_EQ(response.nodes(0).role(), v1::ROLE_UNCONFIGURED);
  EXPECT_EQ(response.nodes(0).status(), v1::STATUS_GREY);
  EXPECT_EQ(response.nodes(0).hostname(), "node1");
  EXPECT_EQ(response.nodes(0).message(), "in no pair; make one: zctl cluster create");
  const v1::GetStatusResponse status = Status(node);
  EXPECT_FALSE(status.ready());
  EXPECT_EQ(status.nodes_size(), 1);
}

// A call that makes, changes or ends the pair.
class PairCall {
 public:
  explicit PairCall(const Node& node) : stub_(v1::ClusterService::NewStub(node.LocalChannel())) {
    context_.set_deadline(std::chrono::system_clock::now() + absl::ToChronoSeconds(kForEver));
  }
  PairCall& Create(const v1::CreateRequest& request) {
    reader_ = stub_->Create(&context_, request);
    return *this;
  }
  PairCall& Apply(const v1::ApplyRequest& request) {
    reader_ = stub_->Apply(&context_, request);
    return *this;
  }
  PairCall& Unconfigure() {
    reader_ = stub_->Unconfigure(&context_, {});
    return *this;
  }
  std::string Step() { return reader_->Read(&step_) ? step_.what() : ""; }
  grpc::Status End() {
    while (reader_->Read(&step_)) {
    }
    return reader_->Finish();
  }

 private:
  std::unique_ptr<v1::ClusterService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::Step>> reader_;
  v1::Step step_;
};

TEST(ClusterService, CreateStreamsItsStepsAndItsSecretReachesNobodyElse) {
  Node node;
  v1::CreateRequest request;
  request.set_local_ip("10.0.0.1");
  request.set_password("geheim");
  PairCall call(node);
  EXPECT_EQ(call.Create(request).Step(), "done");
  EXPECT_TRUE(call.End().ok());
  EXPECT_EQ(node.lifecycle.asked(), "geheim");
  EXPECT_EQ(node.guard.WaitForEnd(1),
            "zcluster.v1.ClusterService/Create local_ip=10.0.0.1 admission=password: OK");
}

TEST(ClusterService, ApplyAndUnconfigureEndAsTheyEnded) {
  Node node;
  node.lifecycle.operation = [](StepSink steps) { steps.end(absl::AbortedError("conflict")); };
  EXPECT_EQ(PairCall(node).Apply({}).End().error_message(), "conflict");
  EXPECT_EQ(PairCall(node).Unconfigure().End().error_code(), grpc::StatusCode::ABORTED);
}

TEST(ClusterService, ARevokedCallersOperationGoesOnAndIsAuditedAsItEnds) {
  Node node;
  StepSink under_way;
  absl::Notification begun;
  node.lifecycle.operation = [&](StepSink steps) {
    under_way = std::move(steps);
    begun.Notify();
  };
  PairCall call(node);
  call.Unconfigure();
  ASSERT_TRUE(begun.WaitForNotificationWithTimeout(kForEver));
  node.guard.Revoke(absl::PermissionDeniedError("revoked"));
  EXPECT_EQ(call.End().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  node.OnLoop([&] { under_way.end(absl::AbortedError("undone")); });
  EXPECT_EQ(node.guard.WaitForEnd(1), "zcluster.v1.ClusterService/Unconfigure: ABORTED: undone");
}

TEST(ClusterService, QuestionsAboutThePairAreHandedOn) {
  Node node;
  const auto stub = v1::ClusterService::NewStub(node.LocalChannel());
  v1::DescribeResponse description;
  EXPECT_TRUE(stub->Describe(std::make_unique<grpc::ClientContext>().get(), {}, &description).ok());
  EXPECT_EQ(description.document(), "name: lab");
  v1::InterfacesResponse interfaces;
  EXPECT_TRUE(
      stub->Interfaces(std::make_unique<grpc::ClientContext>().get(), {}, &interfaces).ok());
  EXPECT_EQ(interfaces.addresses(0).address(), "10.0.0.1/24");
  v1::ProbeRequest probe;
  probe.set_remote("10.0.0.2");
  v1::ProbeResponse found;
  EXPECT_TRUE(stub->Probe(std::make_unique<grpc::ClientContext>().get(), probe, &found).ok());
  EXPECT_EQ(found.fingerprint(), "SHA256:probe");
  EXPECT_EQ(node.lifecycle.asked(), "10.0.0.2");
  v1::PlanResponse plan;
  EXPECT_TRUE(stub->Plan(std::make_unique<grpc::ClientContext>().get(), {}, &plan).ok());
  EXPECT_EQ(plan.generation(), 7u);
}

// The lifecycle may take its time, and its caller may not.
TEST(ClusterService, AnAnswerThatComesAfterItsCallerLeftGoesNowhere) {
  Node node;
  Lifecycle::Answer<v1::PlanResponse> late;
  node.lifecycle.plan = [&](Lifecycle::Answer<v1::PlanResponse> answer) {
    late = std::move(answer);
  };
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
  v1::PlanResponse response;
  EXPECT_EQ(
      v1::ClusterService::NewStub(node.LocalChannel())->Plan(&call, {}, &response).error_code(),
      grpc::StatusCode::DEADLINE_EXCEEDED);
  node.StopServers();  // the call is gone, and its request and response with it
  node.OnLoop([&] {
    if (late != nullptr) late(v1::PlanResponse());
  });
}

TEST(ClusterService, WhoeverTheGuardRefusesLearnsNothing) {
  Node node;
  node.guard.Refuse(absl::UnauthenticatedError("who are you?"));
  grpc::ClientContext call;
  v1::NodesResponse response;
  const grpc::Status status =
      v1::ClusterService::NewStub(node.LocalChannel())->Nodes(&call, v1::NodesRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(status.error_message(), "who are you?");
  EXPECT_EQ(response.nodes_size(), 0);
}

TEST(ClusterService, AStoppedAgentSaysSo) {
  Node node;
  node.OnLoop([&] { node.api.Stop(); });
  grpc::ClientContext call;
  v1::NodesResponse response;
  const grpc::Status status =
      v1::ClusterService::NewStub(node.LocalChannel())->Nodes(&call, v1::NodesRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

// Tells when a call has reached the server.
class Doorbell : public grpc::experimental::Interceptor,
                 public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Doorbell(absl::Notification& rung) : rung_(rung) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo*) override {
    return new Doorbell(rung_);
  }
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::POST_RECV_MESSAGE)) {
      rung_.Notify();
    }
    methods->Proceed();
  }

 private:
  absl::Notification& rung_;
};

// The main program ends its servers when its loop has ended: nobody is left to answer what still
// waits.
TEST(ClusterService, AServerEndsAlthoughTheLoopNeverAnswers) {
  Loop loop;  // does not run
  test::OpenGuard guard;
  FakeLifecycle lifecycle;
  access::Desk desk(loop, guard);
  Board board(Node::DefaultOptions());
  EventPages events(board);
  ClusterService service(desk, board, lifecycle, events, nullptr);
  absl::Notification arrived;
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<Doorbell>(arrived));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::thread client([port] {
    auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                       grpc::InsecureChannelCredentials());
    grpc::ClientContext call;
    v1::NodesResponse response;
    EXPECT_FALSE(
        v1::ClusterService::NewStub(channel)->Nodes(&call, v1::NodesRequest(), &response).ok());
  });
  EXPECT_TRUE(arrived.WaitForNotificationWithTimeout(kForEver));
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
  client.join();
}

}  // namespace
}  // namespace zcluster::api
