// SPDX-License-Identifier: Apache-2.0
#include "agent/api/reload.h"

#include <gmock/gmock.h>

#include "tests/agent/api/node.h"

namespace zcluster::api {
namespace {

v1::NodesResponse Reloaded(const Node& node) {
  grpc::ClientContext call;
  v1::NodesResponse response;
  const grpc::Status status =
      v1::ClusterService::NewStub(node.LocalChannel())->Reload(&call, {}, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

core::View HeardLongAgo() {
  core::View view = MakeView(core::Role::kMaster, core::Role::kUnknown);
  view.remote.message = "as it was";
  view.heard = Loop::Now() - absl::Seconds(50);
  return view;
}

TEST(Reload, ShowsThePeersOwnWordAfresh) {
  Options peers = Node::DefaultOptions();
  peers.generation = 9;
  Node peer(nullptr, peers);
  core::View its = MakeView(core::Role::kBackup, core::Role::kMaster);
  its.local.message = "as it is";
  peer.Perform(core::Publish{its});
  Node node(peer.PeerChannel());
  node.Perform(core::Publish{HeardLongAgo()});
  const v1::NodesResponse response = Reloaded(node);
  ASSERT_EQ(response.nodes_size(), 2);
  EXPECT_EQ(response.nodes(0).role(), v1::ROLE_MASTER);
  EXPECT_EQ(response.nodes(1).role(), v1::ROLE_BACKUP);
  EXPECT_EQ(response.nodes(1).message(), "as it is");
  EXPECT_EQ(response.nodes(1).hostname(), "node2") << "by our name for it";
  EXPECT_EQ(response.nodes(1).generation(), 9u);
  EXPECT_EQ(response.nodes(1).age().seconds(), 0);
}

TEST(Reload, ShowsWhatWasKnownAndItsAgeIfThePeerIsAway) {
  auto peer = std::make_unique<Node>();
  Node node(peer->PeerChannel());
  peer.reset();
  node.Perform(core::Publish{HeardLongAgo()});
  const v1::NodesResponse response = Reloaded(node);
  EXPECT_EQ(response.nodes(1).message(), "as it was");
  EXPECT_GE(response.nodes(1).age().seconds(), 50);
}

TEST(Reload, DoesNotWaitForEverForAPeerThatHangs) {
  Node peer;
  Node node(peer.PeerChannel());
  node.Perform(core::Publish{HeardLongAgo()});
  absl::Notification let_go;
  peer.loop.Post([&] { let_go.WaitForNotification(); });
  const v1::NodesResponse response = Reloaded(node);
  let_go.Notify();
  EXPECT_EQ(response.nodes(1).message(), "as it was");
  EXPECT_GE(response.nodes(1).age().seconds(), 51) << "older by the wait";
}

TEST(Reload, WithoutAPeerShowsWhatIsKnown) {
  Node node;
  node.Perform(core::Publish{HeardLongAgo()});
  EXPECT_EQ(Reloaded(node).nodes(1).message(), "as it was");
}

TEST(Reload, ThePeersServerHasNothingElseOfTheService) {
  Node peer;
  grpc::ClientContext call;
  v1::GetStatusResponse response;
  EXPECT_EQ(
      v1::ClusterService::NewStub(peer.PeerChannel())->GetStatus(&call, {}, &response).error_code(),
      grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace zcluster::api
