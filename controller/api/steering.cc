// SPDX-License-Identifier: Apache-2.0
// What operators ask of a pair itself: handed to one of its agents, whose answer is passed on.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/access/right_proto.h"
#include "common/status.h"
#include "common/strings.h"
#include "controller/api/fleet_service.h"
#include "controller/api/in_words.h"

namespace zcluster::controller {
namespace {

// A step is a short phrase; an agent's words beyond that are cut.
constexpr size_t kMaxStep = 1024;
constexpr size_t kMaxMessage = 2048;
// A run prints at most a few MiB, in pieces of some KiB: a client that is slow keeps all of it.
constexpr size_t kMaxOutput = 65'536;

// On whose behalf. The node applies the lower of this right and its own ceiling.
void Sign(const access::Caller& caller, v1::FleetRequest& request) {
  request.set_who(caller.name);
  request.set_from(caller.from);
  request.set_right(access::ToProto(caller.right));
}

std::string Cut(const std::string& text, size_t most) { return Printable(text.substr(0, most)); }

// What an agent says of the end; it may say anything.
absl::Status EndOf(const v1::RequestEnd& end) {
  if (end.code() == 0) return absl::OkStatus();
  const bool known = end.code() > 0 && end.code() <= 16;
  return absl::Status(
      known ? static_cast<absl::StatusCode>(end.code()) : absl::StatusCode::kUnknown,
      Cut(end.message(), kMaxMessage));
}

v1::Step Clean(v1::Step step) {
  step.set_what(Cut(step.what(), kMaxStep));
  return step;
}

// Output is bytes, as the command made them; all else is words.
v1::RunEvent Clean(v1::RunEvent event) {
  event.set_node(Cut(event.node(), kMaxStep));
  if (event.has_result())
    event.mutable_result()->set_problem(Cut(event.result().problem(), kMaxMessage));
  return event;
}

}  // namespace

grpc::ServerWriteReactor<v1::Step>* FleetService::Steer(
    const access::Asked& asked, std::function<absl::StatusOr<AgentId>()> whom,
    v1::FleetRequest request) {
  auto client = StepStream::Make();
  desk_.Ask(asked, client,
            [this, client, whom = std::move(whom), request = std::move(request),
             asked_at = Loop::Now()]() mutable {
              const absl::StatusOr<AgentId> agent = whom();
              if (!agent.ok()) return client->Close(agent.status());
              Sign(client->caller(), request);
              v1::Step step;
              step.set_what(absl::StrCat("asked ", agent->Name()));
              const int64_t ns = absl::ToInt64Nanoseconds(Loop::Now() - asked_at);
              step.mutable_at()->set_seconds(ns / 1'000'000'000);
              step.mutable_at()->set_nanos(static_cast<int32_t>(ns % 1'000'000'000));
              client->Write(std::move(step));
              hub_.Ask(*agent, std::move(request), [client](const v1::RequestProgress& said) {
                if (said.has_step()) client->Write(Clean(said.step()));
                if (said.has_end()) client->Close(EndOf(said.end()));
              });
            });
  return client.get();
}

grpc::ServerWriteReactor<v1::Step>* FleetService::Switchover(
    grpc::CallbackServerContext* context, const v1::FleetSwitchoverRequest* request) {
  v1::FleetRequest wish;
  wish.mutable_switchover()->set_force(request->force());
  wish.mutable_switchover()->set_reason(request->reason());
  return Steer(
      {*context, "zcluster.v1.FleetService/Switchover", InWords(*request)},
      [this, pair = request->pair()] { return hub_.WhomToAsk(pair); }, std::move(wish));
}

grpc::ServerWriteReactor<v1::Step>* FleetService::EnterMaintenance(
    grpc::CallbackServerContext* context, const v1::FleetEnterRequest* request) {
  v1::FleetRequest wish;
  v1::EnterRequest& enter = *wish.mutable_enter_maintenance();
  enter.set_force(request->force());
  enter.set_reason(request->reason());
  if (request->has_length()) *enter.mutable_length() = request->length();
  return Steer(
      {*context, "zcluster.v1.FleetService/EnterMaintenance", InWords(*request)},
      [this, pair = request->pair(), node = request->node()] { return hub_.AgentOf(pair, node); },
      std::move(wish));
}

grpc::ServerWriteReactor<v1::Step>* FleetService::StartMaintenance(
    grpc::CallbackServerContext* context, const v1::FleetStartRequest* request) {
  v1::FleetRequest wish;
  wish.mutable_start_maintenance()->set_force(request->force());
  return Steer(
      {*context, "zcluster.v1.FleetService/StartMaintenance", InWords(*request)},
      [this, pair = request->pair(), node = request->node()] { return hub_.AgentOf(pair, node); },
      std::move(wish));
}

grpc::ServerWriteReactor<v1::RunEvent>* FleetService::Run(grpc::CallbackServerContext* context,
                                                          const v1::FleetRunRequest* request) {
  auto client = RunStream::Make(kMaxOutput);
  desk_.Ask({*context, "zcluster.v1.FleetService/Run", InWords(*request)}, client,
            [this, client, asked = *request] {
              const absl::StatusOr<AgentId> agent = hub_.WhomToAsk(asked.pair());
              if (!agent.ok()) return client->Close(agent.status());
              v1::FleetRequest wish;
              *wish.mutable_run() = asked.run();
              Sign(client->caller(), wish);
              hub_.Ask(*agent, std::move(wish), [client](const v1::RequestProgress& said) {
                if (said.has_run_event()) client->Write(Clean(said.run_event()));
                if (said.has_end()) client->Close(EndOf(said.end()));
              });
            });
  return client.get();
}

}  // namespace zcluster::controller
