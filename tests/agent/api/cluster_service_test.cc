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
  Desk desk(loop);
  Board board(Node::DefaultOptions());
  ClusterService service(desk, board);
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
