// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/controller_link/node.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/access/server.h"
#include "common/check.h"
#include "common/file.h"
#include "common/identity.h"
#include "common/pki.h"
#include "common/tls.h"

namespace zcluster::controller_link {

void Journal::Add(int count) {
  for (int i = 0; i < count; ++i) {
    v1::Event event;
    event.set_number(events_.size() + 1);
    event.set_name("promoted");
    events_.push_back(std::move(event));
  }
  if (grown_ != nullptr) grown_();
}

void Journal::Read(uint64_t after, size_t limit, Answer answer) {
  v1::EventBatch batch;
  for (size_t i = after; i < events_.size() && i < after + limit; ++i)
    *batch.add_events() = events_[i];
  loop_.Post([answer = std::move(answer), batch = std::move(batch)] { answer(batch); });
}

std::shared_ptr<Services::Steps> Services::Carry(grpc::CallbackServerContext* context,
                                                 const char* method) {
  auto client = Steps::Make();
  desk_.Ask({*context, absl::StrCat("zcluster.v1.MaintenanceService/", method), "asked"}, client,
            [this, client] {
              ++begun;
              v1::Step step;
              step.set_what("begun");
              client->Write(step);
              if (holds) {
                held.push_back(client);
              } else {
                client->Close(absl::OkStatus());
              }
            });
  return client;
}

grpc::ServerWriteReactor<v1::Step>* Services::Switchover(grpc::CallbackServerContext* context,
                                                         const v1::SwitchoverRequest*) {
  return Carry(context, "Switchover").get();
}
grpc::ServerWriteReactor<v1::Step>* Services::Enter(grpc::CallbackServerContext* context,
                                                    const v1::EnterRequest*) {
  return Carry(context, "Enter").get();
}
grpc::ServerWriteReactor<v1::Step>* Services::Start(grpc::CallbackServerContext* context,
                                                    const v1::StartRequest*) {
  return Carry(context, "Start").get();
}

grpc::ServerWriteReactor<v1::RunEvent>* Services::Run(grpc::CallbackServerContext* context,
                                                      const v1::RunRequest* request) {
  auto client = RunEvents::Make();
  desk_.Ask({*context, "zcluster.v1.CommandService/Run", request->name()}, client, [this, client] {
    ++begun;
    for (int i = 0; i < output; ++i) {
      v1::RunEvent event;
      event.set_node("lb1");
      event.set_standard_output(std::string(piece, static_cast<char>('a' + i % 26)));
      client->Write(event);
    }
    client->Close(absl::OkStatus());
  });
  return client.get();
}

grpc::ServerWriteReactor<v1::FlowsSeen>* Services::Watch(grpc::CallbackServerContext* context,
                                                         const v1::WatchFlowsRequest* request) {
  auto client = Flows::Make();
  desk_.Ask({*context, "zcluster.v1.FlowService/Watch"}, client,
            [this, client, rate = request->max_per_second()] {
              watchers.push_back(client);
              rates.push_back(rate);
            });
  return client.get();
}

Node::Node(Fleet& fleet)
    : fleet_(fleet),
      pair_ca_key_(*pki::MakeKey()),
      pair_ca_(*pki::MakeCa(pair_ca_key_, "lab")),
      log(*access::AuditLog::Open({directory_.path() + "/audit.log"})),
      access(*log),
      journal(loop.loop()),
      services(loop.loop(), access) {
  identity::Identity own{
      .certificate = "", .key = *pki::MakeKey(), .ca = pair_ca_, .ca_key = pair_ca_key_};
  const std::string uri = tls::NodeUri("lab", "lb1");
  own.certificate =
      *pki::Sign(*pki::MakeRequest(own.key, uri), pair_ca_, pair_ca_key_, {uri, absl::Hours(24)});
  ZC_CHECK(identity::Install(directory_.path() + "/tls", own).ok());
  options = {.addresses = {fleet.address()},
             .enrolment = {fleet.enrolment()},
             .token_file = token_file(),
             .allow = access::Right::kOperator,
             .directory = identity_dir(),
             .pair = "lab",
             .node = "lb1",
             .pair_files = identity::FilesIn(directory_.path() + "/tls"),
             .version = "test"};
  server_ = *access::StartServer(access,
                                 {static_cast<v1::MaintenanceService::CallbackService*>(&services),
                                  static_cast<v1::CommandService::CallbackService*>(&services),
                                  static_cast<v1::FlowService::CallbackService*>(&services)},
                                 {});
  channel_ = server_->InProcessChannel({});
}

Node::~Node() {
  Stop();
  loop.Do([this] {
    for (const auto& one : services.held) one->Close(absl::OkStatus());
    services.desk().Close();
  });
  server_->Shutdown(std::chrono::system_clock::now());
  ZC_CHECK(sink.reported == 0);  // the pair's colour never depends on the controller
}

void Node::WriteToken(const std::string& token, unsigned mode) {
  ZC_CHECK(WriteFileDurably(token_file(), token + "\n", mode).ok());
}

void Node::Enrolled(absl::Duration lifetime) {
  identity::Identity own{
      .certificate = "", .key = *pki::MakeKey(), .ca = fleet_.ca(), .ca_key = ""};
  const std::string uri = tls::AgentUri("fleet", "lab", "lb1");
  own.certificate = fleet_.Sign(*pki::MakeRequest(own.key, uri), uri, lifetime);
  ZC_CHECK(identity::Install(identity_dir(), own).ok());
}

void Node::Start() {
  loop.Do([this] {
    link_ = std::make_unique<ControllerLink>(
        loop.loop(), options,
        Surroundings{.journal = has_journal ? &journal : nullptr,
                     .node = {[this] { return channel_; }, access.seal()},
                     .status = [this] { return status_; }});
    ZC_CHECK(link_->Start(sink).ok());
  });
}

void Node::Stop() {
  loop.Do([this] {
    if (link_ == nullptr) return;
    const absl::Time began = Loop::Now();
    link_->Stop();
    stop_took = Loop::Now() - began;
    link_.reset();
  });
}

v1::ControllerState Node::State() {
  v1::ControllerState state;
  loop.Do([&] {
    if (link_ != nullptr) state = link_->state();
  });
  return state;
}

v1::ControllerState Node::Await(const std::function<bool(const v1::ControllerState&)>& wanted) {
  const absl::Time deadline = absl::Now() + kPatience;
  v1::ControllerState state = State();
  while (!wanted(state) && absl::Now() < deadline) {
    absl::Notification soon;
    Loop::Registration timer;
    loop.Do([&] { timer = loop.loop().After(absl::Milliseconds(20), [&] { soon.Notify(); }); });
    soon.WaitForNotification();
    state = State();
    loop.Do([&] { timer.reset(); });
  }
  return state;
}

v1::ControllerState Node::AwaitConnected() {
  return Await([](const v1::ControllerState& state) { return state.connected(); });
}

v1::ControllerState Node::AwaitProblem(const std::string& part) {
  return Await(
      [&](const v1::ControllerState& state) { return absl::StrContains(state.problem(), part); });
}

void Node::Show(v1::GetStatusResponse status) {
  loop.Do([&] {
    status_ = std::move(status);
    if (link_ != nullptr) link_->Perform(core::Publish{});
  });
}

std::vector<std::string> Node::Audit(size_t n) {
  std::vector<std::string> lines;
  const absl::Time deadline = absl::Now() + kPatience;
  while (lines.size() < n && absl::Now() < deadline) {
    absl::Notification read;
    lines.clear();
    log->Newest(n, [&](absl::StatusOr<v1::AuditResponse> response) {
      for (const v1::AuditEntry& entry : response->entries()) {
        lines.push_back(absl::StrCat(entry.who(), " | ", entry.from(), " | ", entry.what(), " | ",
                                     entry.result()));
      }
      read.Notify();
    });
    read.WaitForNotification();
  }
  return lines;
}

tls::Files Node::Stranger() {
  identity::Identity other{.certificate = "", .key = *pki::MakeKey(), .ca = pair_ca_, .ca_key = ""};
  ZC_CHECK(identity::Install(directory_.path() + "/other", other).ok());
  absl::StatusOr<identity::Identity> own = identity::Load(directory_.path() + "/tls");
  other.certificate = own->certificate;
  ZC_CHECK(identity::Install(directory_.path() + "/other", other).ok());
  return identity::FilesIn(directory_.path() + "/other");
}

}  // namespace zcluster::controller_link
