// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/requests.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/controller_link/limits.h"
#include "common/access/right_proto.h"
#include "common/strings.h"
#include "zcluster/v1/command.grpc.pb.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::controller_link {
namespace {

// Of what the controller says of its operator.
constexpr size_t kMaxWords = 128;
// No operation lasts so long: the longest command may take an hour on each node. Afterwards we ask
// no further; what was begun goes on.
constexpr absl::Duration kLongest = absl::Hours(3);
// A piece of output has at most 64 KiB.
constexpr size_t kMaxProgress = kMaxMessageBytes - 1024;
// Of a reason.
constexpr size_t kMaxReason = 4096;

std::string Cut(absl::string_view text) { return Printable(text.substr(0, kMaxWords)); }

v1::RequestProgress End(uint64_t id, int code, std::string message) {
  v1::RequestProgress progress;
  progress.set_id(id);
  v1::RequestEnd& end = *progress.mutable_end();
  end.set_code(code);
  message.resize(std::min(message.size(), kMaxReason));
  end.set_message(Printable(message));
  return progress;
}

void Put(v1::Step step, v1::RequestProgress& progress) {
  *progress.mutable_step() = std::move(step);
}
void Put(v1::RunEvent event, v1::RequestProgress& progress) {
  *progress.mutable_run_event() = std::move(event);
}

}  // namespace

access::Caller CallerOf(const v1::FleetRequest& request, const Origin& origin,
                        access::Right allow) {
  access::Caller caller;
  caller.name = absl::StrCat(request.who().empty() ? "somebody" : Cut(request.who()),
                             " (by controller ", origin.controller, ")");
  caller.from = absl::StrCat("controller ", origin.address);
  if (!request.from().empty()) absl::StrAppend(&caller.from, ", for ", Cut(request.from()));
  caller.right = std::min(access::FromProto(request.right()), allow);
  return caller;
}

template <typename Message, typename Prepare>
void Requests::Call(const v1::FleetRequest& request, const Origin& origin, Tell tell,
                    Prepare prepare) {
  const std::shared_ptr<grpc::Channel> channel = door_.channel();
  if (channel == nullptr) {
    return tell(End(request.id(), grpc::StatusCode::UNAVAILABLE, "the agent is starting"), nullptr);
  }
  const uint64_t number = ++last_;
  auto call = std::make_shared<NodeCall<Message>>(inlet_, channel);
  running_.emplace(number, [call] { call->Cancel(); });
  call->Begin(
      CallerOf(request, origin, allow_), door_, kLongest, prepare,
      [id = request.id(), tell, weak = std::weak_ptr<NodeCall<Message>>(call)](Message message) {
        auto next = [weak] {
          if (const auto alive = weak.lock()) alive->Read();
        };
        if (message.ByteSizeLong() > kMaxProgress) return next();
        v1::RequestProgress progress;
        progress.set_id(id);
        Put(std::move(message), progress);
        tell(std::move(progress), std::move(next));
      },
      [this, id = request.id(), tell, number](const grpc::Status& status) {
        running_.erase(number);
        tell(End(id, status.error_code(), status.error_message()), nullptr);
      });
}

void Requests::Begin(const v1::FleetRequest& request, const Origin& origin, Tell tell) {
  if (running_.size() >= kMaxRequests) {
    return tell(End(request.id(), grpc::StatusCode::RESOURCE_EXHAUSTED,
                    absl::StrCat(kMaxRequests, " requests run on this node already")),
                nullptr);
  }
  using Door = const std::shared_ptr<grpc::Channel>&;
  using Context = grpc::ClientContext*;
  switch (request.kind_case()) {
    case v1::FleetRequest::kSwitchover:
      return Call<v1::Step>(request, origin, std::move(tell),
                            [&](Door channel, Context context, NodeCall<v1::Step>* call) {
                              v1::MaintenanceService::NewStub(channel)->async()->Switchover(
                                  context, &request.switchover(), call);
                            });
    case v1::FleetRequest::kEnterMaintenance:
      return Call<v1::Step>(request, origin, std::move(tell),
                            [&](Door channel, Context context, NodeCall<v1::Step>* call) {
                              v1::MaintenanceService::NewStub(channel)->async()->Enter(
                                  context, &request.enter_maintenance(), call);
                            });
    case v1::FleetRequest::kStartMaintenance:
      return Call<v1::Step>(request, origin, std::move(tell),
                            [&](Door channel, Context context, NodeCall<v1::Step>* call) {
                              v1::MaintenanceService::NewStub(channel)->async()->Start(
                                  context, &request.start_maintenance(), call);
                            });
    case v1::FleetRequest::kRun:
      return Call<v1::RunEvent>(request, origin, std::move(tell),
                                [&](Door channel, Context context, NodeCall<v1::RunEvent>* call) {
                                  v1::CommandService::NewStub(channel)->async()->Run(
                                      context, &request.run(), call);
                                });
    case v1::FleetRequest::KIND_NOT_SET:
      break;
  }
  tell(End(request.id(), grpc::StatusCode::UNIMPLEMENTED,
           "this agent does not know that request (is the controller newer?)"),
       nullptr);
}

void Requests::Stop() {
  for (const auto& [number, cancel] : std::exchange(running_, {})) cancel();
}

}  // namespace zcluster::controller_link
