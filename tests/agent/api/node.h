// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "agent/api/api.h"
#include "common/loop.h"
#include "tests/agent/api/fake_lifecycle.h"
#include "tests/support/open_guard.h"
#include "zcluster/v1/cluster.grpc.pb.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::api {

// A deadline that only a broken product reaches.
constexpr absl::Duration kForEver = absl::Seconds(20);

// Stands for the brain: remembers what it was told; the test decides what is done.
class FakeBrain : public EventSink {
 public:
  void Report(core::Event event) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (auto* asked = std::get_if<core::OperationAsked>(&event)) asked_.push_back(*asked);
  }
  // Waits for the `n`th operation (from 1) that was asked for.
  core::OperationAsked WaitFor(size_t n) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    auto come = [this, n]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return asked_.size() >= n; };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&come), kForEver)) {
      ADD_FAILURE() << "only " << asked_.size() << " operations were asked for, not " << n;
      return {};
    }
    return asked_[n - 1];
  }
  size_t asked() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return asked_.size();
  }

 private:
  absl::Mutex mutex_;
  std::vector<core::OperationAsked> asked_ ABSL_GUARDED_BY(mutex_);
};

inline core::View MakeView(core::Role local, core::Role remote) {
  core::View view;
  view.local = {"node1", "10.0.0.1", local, core::Status::kGreen, "as it should be"};
  view.remote = {"node2", "10.0.0.2", remote, core::Status::kGreen, "there too"};
  view.term = core::Term{8};
  return view;
}

// Stands for the audit log: has as many entries as it is asked for.
class FakeAudit : public AuditTrail {
 public:
  void Append(v1::AuditEntry) override {}
  void Newest(size_t limit, Answer answer) override {
    v1::AuditResponse response;
    for (size_t i = 0; i < limit; ++i) response.add_entries()->set_who(std::to_string(i));
    answer(std::move(response));
  }
};

// One agent's API: its loop, its socket, and the port that its peer calls.
class Node {
 public:
  explicit Node(std::shared_ptr<grpc::Channel> peer = nullptr,
                const Options& options = DefaultOptions())
      : api(loop, options, std::move(peer), guard, audit, lifecycle),
        thread_([this] { loop.Run(); }) {
    char name[] = "/tmp/zt-api-XXXXXX";
    directory_ = mkdtemp(name);
    socket = directory_ + "/agent.sock";
    grpc::ServerBuilder local_builder;
    local_builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
    for (grpc::Service* service : api.local_services()) local_builder.RegisterService(service);
    local_server_ = local_builder.BuildAndStart();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    for (grpc::Service* service : api.peer_services()) builder.RegisterService(service);
    peer_server_ = builder.BuildAndStart();
    peer_address = "127.0.0.1:" + std::to_string(port);
    if (!options.unconfigured) OnLoop([this] { EXPECT_TRUE(api.Start(brain).ok()); });
  }
  ~Node() {
    StopServers();
    OnLoop([this] { api.Stop(); });
    loop.Quit();
    thread_.join();
    unlink(socket.c_str());
    rmdir(directory_.c_str());
  }

  static Options DefaultOptions() {
    Options options;
    options.pair = "lab";
    options.version = "0.1.0";
    options.vips = {{"192.0.2.10/24", "front"}};
    options.advert_interval = absl::Milliseconds(100);
    options.node_name = "node1";
    options.node_address = "10.0.0.1";
    options.peer_name = "node2";
    options.peer_address = "10.0.0.2";
    return options;
  }

  // Runs `task` on the loop and waits for it.
  void OnLoop(const std::function<void()>& task) {
    absl::Notification done;
    loop.Post([&] {
      task();
      done.Notify();
    });
    done.WaitForNotification();
  }
  void Perform(core::Action action) {
    OnLoop([&] { api.Perform(action); });
  }
  void Publish(core::Role local, core::Role remote) {
    Perform(core::Publish{MakeView(local, remote)});
  }
  void StopServers() {
    const auto soon = std::chrono::system_clock::now() + std::chrono::milliseconds(200);
    local_server_->Shutdown(soon);
    peer_server_->Shutdown(soon);
  }

  std::shared_ptr<grpc::Channel> LocalChannel() const {
    return grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials());
  }
  std::shared_ptr<grpc::Channel> PeerChannel() const {
    return grpc::CreateChannel(peer_address, grpc::InsecureChannelCredentials());
  }

  Loop loop;
  FakeBrain brain;
  test::OpenGuard guard;
  FakeAudit audit;
  FakeLifecycle lifecycle;
  Api api;
  std::string socket;
  std::string peer_address;

 private:
  std::string directory_;
  std::thread thread_;
  std::unique_ptr<grpc::Server> local_server_;
  std::unique_ptr<grpc::Server> peer_server_;
};

// A client in the middle of a call.
class Call {
 public:
  explicit Call(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::MaintenanceService::NewStub(std::move(channel))) {
    context_.set_deadline(std::chrono::system_clock::now() + absl::ToChronoSeconds(kForEver));
  }
  Call& Switchover(bool force = false) {
    v1::SwitchoverRequest request;
    request.set_force(force);
    return Switchover(request);
  }
  Call& Switchover(const v1::SwitchoverRequest& request) {
    reader_ = stub_->Switchover(&context_, request);
    return *this;
  }
  Call& Enter(const v1::EnterRequest& request = v1::EnterRequest()) {
    reader_ = stub_->Enter(&context_, request);
    return *this;
  }
  Call& Start() {
    reader_ = stub_->Start(&context_, v1::StartRequest());
    return *this;
  }
  Call& Freeze(const std::string& reason) {
    v1::FreezeRequest request;
    request.set_reason(reason);
    reader_ = stub_->Freeze(&context_, request);
    return *this;
  }
  Call& Unfreeze() {
    reader_ = stub_->Unfreeze(&context_, v1::UnfreezeRequest());
    return *this;
  }
  // Waits for the next step; "" at the end.
  std::string Step() { return reader_->Read(&step_) ? step_.what() : ""; }
  const v1::Step& last() const { return step_; }
  // Waits for the end.
  grpc::Status End() {
    while (reader_->Read(&step_)) {
    }
    return reader_->Finish();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  std::unique_ptr<v1::MaintenanceService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::Step>> reader_;
  v1::Step step_;
};

}  // namespace zcluster::api
