// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <stdlib.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "agent/conntrack/conntrack.h"
#include "common/grpc_life.h"
#include "tests/agent/conntrack/netns.h"
#include "tests/support/open_guard.h"

namespace zcluster::conntrack {

// One node: a kernel table of its own, an adapter on a loop of its own, and a server that offers
// the adapter's service.
class Node : public EventSink {
 public:
  explicit Node(Options options = {}) : options_(std::move(options)) {
    KeepGrpc();
    std::string name = "/tmp/zt-ct-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "mkdtemp";
    directory_ = name;
    // A socket in the file system: gRPC connects on whatever thread it likes, in whatever network
    // namespace that is.
    address_ = absl::StrCat("unix:", directory_, "/socket");
  }
  ~Node() override {
    Stop();
    std::filesystem::remove_all(directory_);
  }

  // Its server must listen before its peer's channel is made.
  void Listen(Node& peer) {
    Start([&] { return grpc::CreateChannel(peer.address_, grpc::InsecureChannelCredentials()); });
  }

  template <typename MakeChannel>
  void Start(MakeChannel make_channel) {
    loop_ = std::make_unique<Loop>();
    adapter_ = std::make_unique<Conntrack>(*loop_, options_, make_channel(), guard_);
    Serve();
    std::promise<absl::Status> started;
    thread_ = std::thread([&, this] {
      netns_.Enter();
      loop_->Post([&, this] { started.set_value(adapter_->Start(*this)); });
      loop_->Run();
    });
    started_ = started.get_future().get();
  }

  void Stop() {
    if (!thread_.joinable()) return;
    OnLoop([this] { adapter_->Stop(); });
    StopServing();
    loop_->Quit();
    thread_.join();
    adapter_.reset();
    loop_.reset();
  }

  void Serve() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(&adapter_->service());
    builder.RegisterService(&adapter_->comparison_service());
    builder.RegisterService(&adapter_->flow_service());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void StopServing() {
    if (!server_) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }

  void Assume(core::Role role, uint64_t term) {
    OnLoop([&] { adapter_->Perform(core::AssumeRole{role, core::Term{term}}); });
  }
  // Gives way to another master, and ends as `role`.
  void Merge(core::Role role, uint64_t term) {
    OnLoop([&] { adapter_->Perform(core::AssumeRole{role, core::Term{term}, true}); });
  }
  void Reconfigure(bool replicate, bool labels = false, const FlowRules& rules = {}) {
    OnLoop([&] { adapter_->Reconfigure(replicate, labels, rules); });
  }
  void Flush(uint64_t operation) {
    OnLoop([&] { adapter_->Perform(core::Flush{{operation}, core::Replicator::kConntrack}); });
  }

  void OnLoop(const std::function<void()>& task) {
    std::promise<void> done;
    loop_->Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  void Report(core::Event event) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (const auto* reported = std::get_if<core::ConntrackReported>(&event))
      state_ = reported->state;
    if (const auto* flushed = std::get_if<core::Flushed>(&event))
      flushed_.push_back(flushed->operation.value);
    if (std::holds_alternative<core::Merged>(event)) ++merged_;
  }

  core::ConntrackState State() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return state_;
  }
  int Merged() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return merged_;
  }
  std::vector<uint64_t> Flushed() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return flushed_;
  }

  const Netns& netns() const { return netns_; }
  test::OpenGuard& guard() { return guard_; }
  const absl::Status& started() const { return started_; }
  const std::string& address() const { return address_; }

 private:
  const Options options_;
  const Netns netns_;
  test::OpenGuard guard_;
  std::string directory_;
  std::string address_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Conntrack> adapter_;
  std::unique_ptr<grpc::Server> server_;
  std::thread thread_;
  absl::Status started_;

  mutable absl::Mutex mutex_;
  core::ConntrackState state_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> flushed_ ABSL_GUARDED_BY(mutex_);
  int merged_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Two nodes, each other's peer.
class Pair {
 public:
  explicit Pair(Options options = {})
      : Pair(options, [](const Node& to) {
          return grpc::CreateChannel(to.address(), grpc::InsecureChannelCredentials());
        }) {}

  // `channel` makes a's way to b.
  template <typename MakeChannel>
  Pair(Options options, MakeChannel channel) : a(options), b(options) {
    a.Start([&] { return channel(b); });
    b.Listen(a);
    EXPECT_TRUE(a.started().ok()) << a.started();
    EXPECT_TRUE(b.started().ok()) << b.started();
  }

  // `master` of `term`, the other its backup; waits until they say that they are synchronised.
  void Appoint(Node& master, uint64_t term) {
    Node& backup = &master == &a ? b : a;
    backup.Assume(core::Role::kBackup, term);
    master.Assume(core::Role::kMaster, term);
    ASSERT_TRUE(WaitUntil(
        kPatience, [&] { return master.State().synchronised && backup.State().synchronised; }))
        << master.State().problem << "; " << backup.State().problem;
  }

  // Waits until both tables are the same, of `count` flows.
  void ExpectEqual(size_t count) {
    std::vector<std::string> left, right;
    const bool equal = WaitUntil(kPatience, [&] {
      left = Texts(a.netns());
      right = Texts(b.netns());
      return left == right && left.size() == count;
    });
    std::vector<std::string> only_left, only_right;
    std::set_difference(left.begin(), left.end(), right.begin(), right.end(),
                        std::back_inserter(only_left));
    std::set_difference(right.begin(), right.end(), left.begin(), left.end(),
                        std::back_inserter(only_right));
    only_left.resize(std::min<size_t>(only_left.size(), 5));
    only_right.resize(std::min<size_t>(only_right.size(), 5));
    EXPECT_TRUE(equal) << "a has " << left.size() << ", b " << right.size() << ", expected "
                       << count << "\nonly a: " << testing::PrintToString(only_left)
                       << "\nonly b: " << testing::PrintToString(only_right) << "\n"
                       << a.State().problem;
    EXPECT_FALSE(a.State().differs || b.State().differs);
  }

  static constexpr absl::Duration kPatience = absl::Seconds(20);

  Node a, b;
};

inline std::vector<Flow> NattedFlows(int count, const std::string& backend = "10.1.0.2",
                                     int first = 0) {
  std::vector<Flow> flows;
  for (int i = 0; i < count; ++i) flows.push_back(Natted(first + i, backend));
  return flows;
}

}  // namespace zcluster::conntrack
