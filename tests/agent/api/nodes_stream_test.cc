// SPDX-License-Identifier: Apache-2.0
#include "agent/api/nodes_stream.h"

#include <gmock/gmock.h>

#include "tests/agent/api/node.h"

namespace zcluster::api {
namespace {

// Somebody who watches.
class Watcher {
 public:
  explicit Watcher(const Node& node) : stub_(v1::ClusterService::NewStub(node.LocalChannel())) {
    context_.set_deadline(std::chrono::system_clock::now() + absl::ToChronoSeconds(kForEver));
    reader_ = stub_->Watch(&context_, {});
  }
  const v1::NodesResponse& last() const { return nodes_; }
  // The local node's role as it comes next; nothing at the end.
  absl::optional<v1::Role> Next() {
    if (!reader_->Read(&nodes_)) return absl::nullopt;
    return nodes_.nodes(0).role();
  }
  grpc::Status End() {
    while (reader_->Read(&nodes_)) {
    }
    return reader_->Finish();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  std::unique_ptr<v1::ClusterService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::NodesResponse>> reader_;
  v1::NodesResponse nodes_;
};

TEST(Watch, ShowsTheNodesAtOnceAndAtEachChange) {
  Node node;
  Watcher watcher(node);
  EXPECT_EQ(watcher.Next(), v1::ROLE_UNSPECIFIED);
  node.Publish(core::Role::kBackup, core::Role::kMaster);
  EXPECT_EQ(watcher.Next(), v1::ROLE_BACKUP);
  node.Publish(core::Role::kMaster, core::Role::kBackup);
  EXPECT_EQ(watcher.Next(), v1::ROLE_MASTER);
}

TEST(Watch, DoesNotRepeatWhatDiffersInAgesAlone) {
  Node node;
  node.Publish(core::Role::kMaster, core::Role::kBackup);
  Watcher watcher(node);
  EXPECT_EQ(watcher.Next(), v1::ROLE_MASTER);
  core::View later = MakeView(core::Role::kMaster, core::Role::kBackup);
  later.heard = Loop::Now();
  node.Perform(core::Publish{later});
  node.Publish(core::Role::kFault, core::Role::kMaster);
  EXPECT_EQ(watcher.Next(), v1::ROLE_FAULT);
}

TEST(Watch, ShowsANewConfigurationsGeneration) {
  Node node;
  Watcher watcher(node);
  ASSERT_TRUE(watcher.Next());
  Options options = Node::DefaultOptions();
  options.generation = 8;
  node.OnLoop([&] { node.api.Reconfigure(options); });
  ASSERT_TRUE(watcher.Next());
  EXPECT_EQ(watcher.last().nodes(0).generation(), 8u);
}

TEST(Watch, ASlowWatcherGetsTheLatest) {
  Node node;
  Watcher watcher(node);
  EXPECT_EQ(watcher.Next(), v1::ROLE_UNSPECIFIED);
  // More than the socket and gRPC take for a reader that does not read.
  core::View view = MakeView(core::Role::kBackup, core::Role::kMaster);
  for (int i = 0; i < 1000; ++i) {
    view.local.message = std::string(10'000, 'x') + std::to_string(i);
    node.Perform(core::Publish{view});
  }
  node.Publish(core::Role::kMaster, core::Role::kBackup);
  int read = 0;
  while (watcher.Next() == v1::ROLE_BACKUP) ++read;
  EXPECT_LT(read, 1000);
}

TEST(Watch, EndsWhenTheCallersRightEnds) {
  Node node;
  Watcher watcher(node);
  ASSERT_TRUE(watcher.Next());
  node.guard.Revoke(absl::PermissionDeniedError("revoked"));
  const grpc::Status status = watcher.End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(status.error_message(), "revoked");
}

TEST(Watch, EndsWithTheAgent) {
  Node node;
  Watcher watcher(node);
  ASSERT_TRUE(watcher.Next());
  node.OnLoop([&] { node.api.Stop(); });
  EXPECT_EQ(watcher.End().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(Watch, TheSixtyFifthIsRefusedUntilOneLeaves) {
  Node node;
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 64; ++i) {
    watchers.push_back(std::make_unique<Watcher>(node));
    ASSERT_TRUE(watchers.back()->Next());
  }
  EXPECT_EQ(Watcher(node).End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  watchers.front()->Cancel();
  EXPECT_EQ(watchers.front()->End().error_code(), grpc::StatusCode::CANCELLED);
  const absl::Time deadline = absl::Now() + kForEver;
  bool admitted = false;
  while (!admitted && absl::Now() < deadline) admitted = Watcher(node).Next().has_value();
  EXPECT_TRUE(admitted);
}

}  // namespace
}  // namespace zcluster::api
