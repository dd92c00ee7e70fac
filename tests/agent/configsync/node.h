// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "agent/configsync/configsync.h"
#include "common/file.h"
#include "common/kept_files.h"
#include "tests/agent/configsync/scratch.h"

// Two nodes with the adapter, joined by gRPC, each of which has the roots under the same path.
namespace zcluster::configsync {

namespace fs = std::filesystem;

class Brain : public EventSink {
 public:
  void Report(core::Event event) override {
    absl::MutexLock lock(&mutex_);
    if (const auto* roots = std::get_if<core::RootsReported>(&event)) roots_ = roots->roots;
    if (const auto* flushed = std::get_if<core::Flushed>(&event)) flushed_.push_back(*flushed);
  }
  // Of the only, or given, root.
  core::RootState root(size_t i = 0) {
    absl::MutexLock lock(&mutex_);
    return roots_.size() > i ? roots_[i] : core::RootState{};
  }
  std::vector<std::string> paths() {
    absl::MutexLock lock(&mutex_);
    std::vector<std::string> paths;
    for (const core::RootState& root : roots_) paths.push_back(root.path);
    return paths;
  }
  std::vector<uint64_t> flushed() {
    absl::MutexLock lock(&mutex_);
    std::vector<uint64_t> operations;
    for (const core::Flushed& f : flushed_) operations.push_back(f.operation.value);
    return operations;
  }

 private:
  absl::Mutex mutex_;
  std::vector<core::RootState> roots_;
  std::vector<core::Flushed> flushed_;
};

// An agent's room on a node of its own: on its thread, `seen_as` is the node's directory. (A mount
// namespace belongs to a thread, and a thread's children inherit it.)
class Node {
 public:
  Node(const Scratch& scratch, const std::string& name, const std::string& peer,
       std::vector<Root> roots)
      : directory_(scratch / name),
        seen_as_(scratch / "shared"),
        address_(absl::StrCat("unix:", scratch / name, ".sock")),
        channel_(grpc::CreateCustomChannel(absl::StrCat("unix:", scratch / peer, ".sock"),
                                           grpc::InsecureChannelCredentials(), Fast())),
        roots_(std::move(roots)) {
    fs::create_directories(directory_);
    fs::create_directories(seen_as_);
    Begin();
  }
  ~Node() { End(); }

  void Begin() {
    Options options;
    options.roots = roots_;
    options.agreed_dir = directory_ + "-agreed";
    options.kept_dir = directory_ + "-kept";
    sync_ = std::make_unique<ConfigSync>(loop_, options, channel_);
    std::thread([this] {
      ASSERT_EQ(::unshare(CLONE_FS | CLONE_NEWNS), 0);
      ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
      ASSERT_EQ(::mount(directory_.c_str(), seen_as_.c_str(), nullptr, MS_BIND, nullptr), 0);
      started_ = sync_->Start(brain_);
    }).join();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(&sync_->service());
    server_ = builder.BuildAndStart();
  }
  void End() {
    if (sync_ == nullptr) return;
    sync_->Stop();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(10));
    sync_.reset();
  }

  // Takes other roots while it runs.
  absl::Status Reconfigure(std::vector<Root> roots) {
    roots_ = roots;
    Options options;
    options.roots = std::move(roots);
    return sync_->Reconfigure(options);
  }

  void Assume(core::Role role, uint64_t term) {
    sync_->Perform(core::AssumeRole{role, core::Term{term}});
  }
  void Flush(uint64_t operation) {
    sync_->Perform(core::Flush{core::OperationId{operation}, core::Replicator::kConfig});
  }
  Brain& brain() { return brain_; }
  core::RootState root() { return brain_.root(); }
  absl::Status started() const { return started_; }
  // What it has kept aside: the contents, in the order of the sets.
  std::vector<std::string> Kept() const {
    std::vector<std::string> contents;
    const auto sets = kept::List(directory_ + "-kept");
    EXPECT_TRUE(sets.ok()) << sets.status();
    for (const kept::Set& set : sets.value_or(std::vector<kept::Set>())) {
      for (const std::string& file : set.files)
        contents.push_back(ReadFile(file).value_or("unreadable"));
    }
    return contents;
  }
  // A path on this node, as the test sees it.
  std::string operator/(const std::string& name) const { return directory_ + "/" + name; }
  const std::string& address() const { return address_; }

 private:
  static grpc::ChannelArguments Fast() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
    return arguments;
  }

  Loop loop_;
  Brain brain_;
  const std::string directory_;
  const std::string seen_as_;
  const std::string address_;
  const std::shared_ptr<grpc::Channel> channel_;
  std::vector<Root> roots_;
  std::unique_ptr<ConfigSync> sync_;
  std::unique_ptr<grpc::Server> server_;
  absl::Status started_;
};

class ConfigSyncTest : public testing::Test {
 protected:
  // Roots "tree" (a directory) and, if a test asks, others.
  void Raise(std::vector<Root> roots = {}) {
    if (roots.empty()) roots = {{scratch_ / "shared/tree", {"*.swp"}}};
    node1_ = std::make_unique<Node>(scratch_, "node1", "node2", roots);
    node2_ = std::make_unique<Node>(scratch_, "node2", "node1", roots);
    ASSERT_TRUE(node1_->started().ok()) << node1_->started();
    ASSERT_TRUE(node2_->started().ok()) << node2_->started();
  }
  // node1 master, node2 backup.
  void AssumeRoles() {
    node2_->Assume(core::Role::kBackup, 5);
    node1_->Assume(core::Role::kMaster, 5);
  }
  std::string On1(const std::string& path) { return scratch_ / "node1/tree/" + path; }
  std::string On2(const std::string& path) { return scratch_ / "node2/tree/" + path; }

  // Both nodes know that both hold the same, and it has this many entries.
  bool Equal(uint64_t entries) {
    const core::RootState one = node1_->root();
    const core::RootState two = node2_->root();
    return one.Equal() && two.Equal() && one.local_digest == two.local_digest &&
           one.entries == entries && two.entries == entries && one.problem.empty() &&
           two.problem.empty();
  }
  bool BecomeEqual(uint64_t entries) {
    return WaitUntil([&] { return Equal(entries); });
  }
  std::string Explain() {
    std::string text;
    for (Node* node : {node1_.get(), node2_.get()}) {
      const core::RootState root = node->root();
      absl::StrAppend(&text, "local ", root.local_digest, " remote ", root.remote_digest,
                      " entries ", root.entries, " problem: ", root.problem, "\n");
    }
    return text;
  }

  Scratch scratch_;
  std::unique_ptr<Node> node1_;
  std::unique_ptr<Node> node2_;
};

}  // namespace zcluster::configsync
