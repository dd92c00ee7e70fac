// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "tests/ctl/invoke.h"
#include "zcluster/v1/fleet.grpc.pb.h"
#include "zcluster/v1/operator.grpc.pb.h"

namespace zcluster::ctl {

// A controller that says what a test tells it to, on a socket in a directory of its own, and, given
// credentials, on a port of 127.0.0.1 too. What has no lock is set before, and read after, a call.
class FakeController {
 public:
  explicit FakeController(std::shared_ptr<grpc::ServerCredentials> remote = nullptr)
      : remote_(std::move(remote)) {
    char directory[] = "/tmp/zt-ctl-XXXXXX";
    directory_ = mkdtemp(directory);
    socket_ = directory_ + "/controller.sock";
    Begin();
  }
  ~FakeController() {
    End();
    unlink(socket_.c_str());
    rmdir(directory_.c_str());
  }

  // As a restart does it; the socket lies there all the time, as a dead controller leaves it.
  void Begin() {
    released_ = std::make_unique<absl::Notification>();
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket_, grpc::InsecureServerCredentials());
    if (remote_ != nullptr) builder.AddListeningPort("127.0.0.1:0", remote_, &port_);
    builder.RegisterService(&fleet_);
    builder.RegisterService(&operator_);
    server_ = builder.BuildAndStart();
  }
  void End() {
    if (server_ == nullptr) return;
    released_->Notify();
    server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }

  const std::string& socket() const { return socket_; }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  // What it answers.
  std::vector<v1::PairSummary> pairs;
  uint32_t largest_page = 1000;
  v1::FleetTokenResponse token;
  v1::ShowPairResponse show;
  v1::LabelPairResponse labels;
  std::vector<v1::FlowsSeen> flows;
  std::vector<v1::Step> steps;  // of each operation
  std::vector<v1::RunEvent> run_events;
  // How calls end that do not end well: by what `asked` has of them ("Switchover web-2"), or by
  // their first word.
  std::map<std::string, grpc::Status> ends;
  std::function<v1::AddOperatorResponse(const v1::AddOperatorRequest&)> admit;

  // What it was asked.
  std::vector<std::string> asked;
  std::vector<v1::ListPairsRequest> lists;
  std::vector<v1::FleetEventsRequest> events_requests;
  v1::FleetTokenRequest token_request;
  v1::LabelPairRequest label;
  v1::FleetFlowsRequest flows_request;
  v1::WatchPairsRequest watch_request;
  v1::FleetEnterRequest entered;
  v1::RunRequest run;

  v1::PairSummary& AddPair(const std::string& name, v1::Status status, const std::string& master,
                           const std::string& message = "all is well") {
    v1::PairSummary& pair = pairs.emplace_back();
    pair.set_name(name);
    pair.set_status(status);
    pair.set_message(message);
    pair.set_master(master);
    for (const std::string node : {"lb1", "lb2"}) {
      v1::FleetNode& added = *pair.add_nodes();
      added.set_name(node);
      added.set_role(node == master ? v1::ROLE_MASTER : v1::ROLE_BACKUP);
      added.set_status(status);
    }
    return pair;
  }
  void AddStep(const std::string& what, int milliseconds) {
    v1::Step& step = steps.emplace_back();
    step.set_what(what);
    step.mutable_at()->set_nanos(milliseconds * 1000000);
  }
  // The next event of the history: on the disk, and told to whoever follows.
  void Happens(const std::string& pair, const std::string& node, const std::string& name,
               const std::vector<std::pair<std::string, std::string>>& fields = {},
               bool warning = false) ABSL_LOCKS_EXCLUDED(mutex_) {
    v1::FleetEvent event;
    event.set_pair(pair);
    event.set_node(node);
    event.mutable_event()->set_name(name);
    event.mutable_event()->set_warning(warning);
    event.mutable_event()->mutable_at()->set_seconds(1767225600);
    event.mutable_event()->mutable_at()->set_nanos(123000000);
    event.mutable_received()->set_seconds(1767225601);
    for (const auto& [key, value] : fields) {
      v1::Event::Field& field = *event.mutable_event()->add_fields();
      field.set_name(key);
      field.set_value(value);
    }
    absl::MutexLock lock(&mutex_);
    number_ += 2;  // with gaps
    event.set_number(number_);
    history_.push_back(event);
  }
  // Whoever watches is told.
  void Changes(const v1::PairChanges& changes) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    changes_.push_back(changes);
  }
  void Change(const v1::PairSummary& pair) {
    v1::PairChanges changes;
    *changes.add_pairs() = pair;
    Changes(changes);
  }
  // Changes of before are not told to those who come later.
  void ForgetChanges() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    changes_.clear();
  }

 private:
  grpc::Status End(const std::string& call) {
    asked.push_back(call);
    if (ends.count(call) > 0) return ends[call];
    const std::string word = call.substr(0, call.find(' '));
    return ends.count(word) > 0 ? ends[word] : grpc::Status::OK;
  }
  grpc::Status Tell(const std::string& call, bool force, grpc::ServerWriter<v1::Step>* writer) {
    for (const v1::Step& step : steps) writer->Write(step);
    return End(absl::StrCat(call, force ? " force" : ""));
  }

  struct Fleet : v1::FleetService::Service {
    explicit Fleet(FakeController& c) : controller(c) {}
    grpc::Status Token(grpc::ServerContext*, const v1::FleetTokenRequest* request,
                       v1::FleetTokenResponse* response) override {
      controller.token_request = *request;
      *response = controller.token;
      return controller.End("Token");
    }
    grpc::Status List(grpc::ServerContext*, const v1::ListPairsRequest* request,
                      v1::ListPairsResponse* response) override {
      controller.lists.push_back(*request);
      size_t from = 0;
      EXPECT_TRUE(request->page().empty() || absl::SimpleAtoi(request->page(), &from));
      const size_t size = std::min(request->page_size(), controller.largest_page);
      const size_t to = std::min(controller.pairs.size(), from + size);
      for (size_t i = from; i < to; ++i) *response->add_pairs() = controller.pairs[i];
      if (to < controller.pairs.size()) response->set_next_page(absl::StrCat(to));
      response->set_total(controller.pairs.size());
      return controller.End("List");
    }
    grpc::Status Show(grpc::ServerContext*, const v1::ShowPairRequest* request,
                      v1::ShowPairResponse* response) override {
      *response = controller.show;
      return controller.End("Show " + request->pair());
    }
    grpc::Status Watch(grpc::ServerContext* context, const v1::WatchPairsRequest* request,
                       grpc::ServerWriter<v1::PairChanges>* writer) override {
      controller.watch_request = *request;
      return controller.TellChanges(context, writer);
    }
    grpc::Status Events(grpc::ServerContext* context, const v1::FleetEventsRequest* request,
                        grpc::ServerWriter<v1::FleetEvents>* writer) override {
      controller.events_requests.push_back(*request);
      const grpc::Status end = controller.End("Events");
      return end.ok() ? controller.TellEvents(context, *request, writer) : end;
    }
    grpc::Status Flows(grpc::ServerContext*, const v1::FleetFlowsRequest* request,
                       grpc::ServerWriter<v1::FlowsSeen>* writer) override {
      controller.flows_request = *request;
      for (const v1::FlowsSeen& seen : controller.flows) writer->Write(seen);
      controller.released_->WaitForNotificationWithTimeout(absl::Milliseconds(200));
      return controller.End("Flows " + request->pair());
    }
    grpc::Status Label(grpc::ServerContext*, const v1::LabelPairRequest* request,
                       v1::LabelPairResponse* response) override {
      controller.label = *request;
      *response = controller.labels;
      return controller.End("Label " + request->pair());
    }
    grpc::Status Forget(grpc::ServerContext*, const v1::ForgetPairRequest* request,
                        v1::ForgetPairResponse*) override {
      return controller.End(absl::StrCat("Forget ", request->pair(), "/", request->node()));
    }
    grpc::Status Switchover(grpc::ServerContext*, const v1::FleetSwitchoverRequest* request,
                            grpc::ServerWriter<v1::Step>* writer) override {
      return controller.Tell("Switchover " + request->pair(), request->force(), writer);
    }
    grpc::Status EnterMaintenance(grpc::ServerContext*, const v1::FleetEnterRequest* request,
                                  grpc::ServerWriter<v1::Step>* writer) override {
      controller.entered = *request;
      return controller.Tell(absl::StrCat("Enter ", request->pair(), "/", request->node()),
                             request->force(), writer);
    }
    grpc::Status StartMaintenance(grpc::ServerContext*, const v1::FleetStartRequest* request,
                                  grpc::ServerWriter<v1::Step>* writer) override {
      return controller.Tell(absl::StrCat("Start ", request->pair(), "/", request->node()),
                             request->force(), writer);
    }
    grpc::Status Run(grpc::ServerContext*, const v1::FleetRunRequest* request,
                     grpc::ServerWriter<v1::RunEvent>* writer) override {
      controller.run = request->run();
      for (const v1::RunEvent& event : controller.run_events) writer->Write(event);
      return controller.End("Run " + request->pair());
    }
    FakeController& controller;
  };
  struct Operator : v1::OperatorService::Service {
    explicit Operator(FakeController& c) : controller(c) {}
    grpc::Status Add(grpc::ServerContext*, const v1::AddOperatorRequest* request,
                     v1::AddOperatorResponse* response) override {
      *response = controller.admit(*request);
      return controller.End("Add");
    }
    grpc::Status List(grpc::ServerContext*, const v1::ListOperatorsRequest*,
                      v1::ListOperatorsResponse*) override {
      return controller.End("ListOperators");
    }
    FakeController& controller;
  };

  // All pairs, and what changes, until somebody has had enough.
  grpc::Status TellChanges(grpc::ServerContext* context,
                           grpc::ServerWriter<v1::PairChanges>* writer)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    if (ends.count("Watch") > 0) return ends["Watch"];
    v1::PairChanges all;
    *all.mutable_pairs() = {pairs.begin(), pairs.end()};
    all.set_complete(true);
    writer->Write(all);
    for (size_t told = 0; !released_->WaitForNotificationWithTimeout(absl::Milliseconds(5));) {
      if (context->IsCancelled()) return grpc::Status::CANCELLED;
      absl::MutexLock lock(&mutex_);
      while (told < changes_.size()) writer->Write(changes_[told++]);
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "ends");
  }

  // The proto's promise, to the letter.
  grpc::Status TellEvents(grpc::ServerContext* context, const v1::FleetEventsRequest& request,
                          grpc::ServerWriter<v1::FleetEvents>* writer) ABSL_LOCKS_EXCLUDED(mutex_) {
    uint64_t last = request.after();
    bool past = true;
    do {
      absl::MutexLock lock(&mutex_);
      v1::FleetEvents events;
      for (const v1::FleetEvent& event : history_) {
        if (event.number() <= last || (request.warnings() && !event.event().warning())) continue;
        *events.add_events() = event;
      }
      const int limit = request.limit() == 0 ? 100 : static_cast<int>(request.limit());
      const bool limited = past && !(request.follow() && request.after() > 0);
      if (limited && events.events_size() > limit) {
        events.mutable_events()->DeleteSubrange(0, events.events_size() - limit);
      }
      past = false;
      if (events.events().empty()) continue;
      last = events.events().rbegin()->number();
      writer->Write(events);
    } while (request.follow() && !context->IsCancelled() &&
             !released_->WaitForNotificationWithTimeout(absl::Milliseconds(5)));
    return request.follow() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "ends")
                            : grpc::Status::OK;
  }

  const std::shared_ptr<grpc::ServerCredentials> remote_;
  int port_ = 0;
  std::unique_ptr<absl::Notification> released_;
  std::string directory_;
  std::string socket_;
  absl::Mutex mutex_;
  uint64_t number_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<v1::FleetEvent> history_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::PairChanges> changes_ ABSL_GUARDED_BY(mutex_);
  Fleet fleet_{*this};
  Operator operator_{*this};
  std::unique_ptr<grpc::Server> server_;
};

// zctl before that controller.
class FleetTest : public testing::Test {
 protected:
  std::vector<std::string> Words(std::vector<std::string> words) {
    words.insert(words.begin(), {"--socket", controller_.socket(), "fleet"});
    return words;
  }
  Outcome Ask(const std::vector<std::string>& words, const std::string& input = "") {
    return Invoke(Words(words), input);
  }
  FakeController controller_;
};

}  // namespace zcluster::ctl
