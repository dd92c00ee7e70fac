// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "agent/controller_link/controller_link.h"
#include "common/access/access.h"
#include "common/access/audit_log.h"
#include "common/access/desk.h"
#include "common/access/message_stream.h"
#include "tests/agent/controller_link/fleet.h"
#include "tests/support/certificates.h"
#include "tests/support/loop_thread.h"
#include "zcluster/v1/command.grpc.pb.h"
#include "zcluster/v1/flows.grpc.pb.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

// A node of the pair "lab", with the real link, guard and audit; its services, journal and brain
// are the test's.
namespace zcluster::controller_link {

// Events in memory, behind the interface of the real one. Loop thread, but for the constructor.
class Journal : public EventJournal {
 public:
  explicit Journal(Loop& loop) : loop_(loop) {}
  void Add(int count);
  const std::string& id() const override { return id_; }
  uint64_t first() const override { return events_.empty() ? 0 : 1; }
  uint64_t last() const override { return events_.size(); }
  void Read(uint64_t after, size_t limit, Answer answer) override;
  void OnGrown(std::function<void()> grown) override { grown_ = std::move(grown); }

 private:
  Loop& loop_;
  const std::string id_ = "0123456789abcdef0123456789abcdef";
  std::vector<v1::Event> events_;
  std::function<void()> grown_;
};

// What operators call, behind the real guard. Each call waits for the test if it is told to.
class Services : public v1::MaintenanceService::CallbackService,
                 public v1::CommandService::CallbackService,
                 public v1::FlowService::CallbackService {
 public:
  using Steps = access::MessageStream<v1::Step>;
  using RunEvents = access::MessageStream<v1::RunEvent>;
  using Flows = access::MessageStream<v1::FlowsSeen>;
  Services(Loop& loop, Guard& guard) : desk_(loop, guard) {}

  grpc::ServerWriteReactor<v1::Step>* Switchover(grpc::CallbackServerContext* context,
                                                 const v1::SwitchoverRequest* request) override;
  grpc::ServerWriteReactor<v1::Step>* Enter(grpc::CallbackServerContext* context,
                                            const v1::EnterRequest*) override;
  grpc::ServerWriteReactor<v1::Step>* Start(grpc::CallbackServerContext* context,
                                            const v1::StartRequest*) override;
  grpc::ServerWriteReactor<v1::RunEvent>* Run(grpc::CallbackServerContext* context,
                                              const v1::RunRequest* request) override;
  grpc::ServerWriteReactor<v1::FlowsSeen>* Watch(grpc::CallbackServerContext* context,
                                                 const v1::WatchFlowsRequest* request) override;

  // The loop's.
  access::Desk& desk() { return desk_; }
  bool holds = false;                        // maintenance calls wait in `held`
  std::vector<std::shared_ptr<Steps>> held;  // that wait
  int begun = 0;                             // calls that change something
  std::vector<std::shared_ptr<Flows>> watchers;
  std::vector<uint32_t> rates;  // that they asked for
  int output = 3;               // pieces that a command prints
  size_t piece = 10;            // bytes of each

 private:
  std::shared_ptr<Steps> Carry(grpc::CallbackServerContext* context, const char* method);
  access::Desk desk_;
};

class Node {
 public:
  explicit Node(Fleet& fleet);
  ~Node();

  void WriteToken(const std::string& token, unsigned mode = 0600);
  // Makes the identity that enrolling would, so that the link dials at once.
  void Enrolled(absl::Duration lifetime = absl::Hours(24));
  void Start();
  void Stop();  // and how long it took
  absl::Duration stop_took = absl::ZeroDuration();

  v1::ControllerState State();
  // Waits for a state; what was seen last, if it does not come.
  v1::ControllerState Await(const std::function<bool(const v1::ControllerState&)>& wanted);
  v1::ControllerState AwaitConnected();
  v1::ControllerState AwaitProblem(const std::string& part);
  // The brain publishes, and `zctl status` would say so from now on.
  void Show(v1::GetStatusResponse status);
  // The newest audit entries as "WHO | FROM | WHAT | RESULT", once `n` are there.
  std::vector<std::string> Audit(size_t n);

  std::string token_file() const { return directory_.path() + "/controller.token"; }
  std::string identity_dir() const { return directory_.path() + "/controller"; }
  // Of another pair, with a certificate of its own.
  tls::Files Stranger();

 private:
  struct Sink : EventSink {
    void Report(core::Event) override { ++reported; }
    std::atomic<int> reported = 0;
  };

  Fleet& fleet_;
  const test::TempDirectory directory_;
  std::string pair_ca_key_;
  std::string pair_ca_;
  v1::GetStatusResponse status_;  // loop

 public:
  test::LoopThread loop;
  Options options;
  Sink sink;
  std::unique_ptr<access::AuditLog> log;
  access::Access access;
  Journal journal;
  Services services;
  bool has_journal = true;

 private:
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<ControllerLink> link_;
};

}  // namespace zcluster::controller_link
