// SPDX-License-Identifier: Apache-2.0
#include "agent/api/maintenance_service.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/api/in_words.h"
#include "agent/core/names.h"
#include "agent/wire/wire.h"
#include "common/loop.h"
#include "common/status.h"
#include "common/strings.h"

namespace zcluster::api {
namespace {

// What the brain may take for a switchover: ten seconds to flush, twice three silent intervals and
// skew for the takeover, as much until the node stands by, and some seconds each of its own. Its
// own bounds end it first; this one only ends a peer that has gone mad.
absl::Duration SwitchoverBound(absl::Duration advert_interval) {
  return absl::Seconds(30) + 16 * advert_interval;
}

// Of one that ends by itself. Longer ones are a forgotten node.
constexpr absl::Duration kShortestMaintenance = absl::Seconds(1);
constexpr absl::Duration kLongestMaintenance = absl::Hours(24 * 365);

std::string Describe(const core::NodeView& node) {
  return absl::StrCat(node.name, " is ", core::Name(node.role), " (", node.message, ")");
}

absl::Status NobodyIsMaster(const Board& board) {
  if (!board.started()) {
    return absl::FailedPreconditionError("the agent is starting; try again in a moment");
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no node is known to be master: ", Describe(board.view().local), ", ",
                   Describe(board.view().remote),
                   "; `zctl status` on each node says what keeps it from serving"));
}

core::OperationAsked Wish(core::OperationKind kind, bool force) {
  core::OperationAsked wish;
  wish.kind = kind;
  wish.force = force;
  return wish;
}

// What others will read.
absl::Status CheckLine(absl::string_view field, absl::string_view text) {
  if (text.size() > core::kMaxReason) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": ", text.size(), " bytes; at most ",
                                                   core::kMaxReason, " are allowed"));
  }
  if (HasControlCharacter(text)) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": has a control character; give one line of plain text"));
  }
  return absl::OkStatus();
}

// `by` asks; empty: whom the request names, which only a peer's does.
absl::StatusOr<core::OperationAsked> WishOf(const v1::SwitchoverRequest& request, std::string by) {
  core::OperationAsked wish = Wish(core::OperationKind::kSwitchover, request.force());
  wish.reason = request.reason();
  wish.by = by.empty() ? request.asked_by() : std::move(by);
  ZC_RETURN_IF_ERROR(CheckLine("reason", wish.reason));
  ZC_RETURN_IF_ERROR(CheckLine("asked_by", wish.by));
  return wish;
}

absl::StatusOr<core::OperationAsked> WishOf(const v1::EnterRequest& request) {
  core::OperationAsked wish = Wish(core::OperationKind::kEnterMaintenance, request.force());
  wish.reason = request.reason();
  ZC_RETURN_IF_ERROR(CheckLine("reason", wish.reason));
  if (!request.has_length()) return wish;
  wish.length = wire::FromProto(request.length());
  if (wish.length < kShortestMaintenance || wish.length > kLongestMaintenance) {
    return absl::InvalidArgumentError(absl::StrCat("length: ", absl::FormatDuration(wish.length),
                                                   ": use 1s to ",
                                                   absl::FormatDuration(kLongestMaintenance)));
  }
  return wish;
}

absl::StatusOr<core::OperationAsked> WishOf(const v1::FreezeRequest& request) {
  core::OperationAsked wish = Wish(core::OperationKind::kFreeze, /*force=*/false);
  wish.reason = request.reason();
  ZC_RETURN_IF_ERROR(CheckLine("reason", wish.reason));
  return wish;
}

// Asks the brain on the loop; whatever comes of it goes to the stream that is returned.
grpc::ServerWriteReactor<v1::Step>* AskBrain(access::Desk& desk, const Board& board,
                                             Operations& operations, const access::Asked& asked,
                                             absl::StatusOr<core::OperationAsked> wish) {
  auto client = StepStream::Make();
  desk.Ask(asked, client,
           [&board, &operations, wish = std::move(wish), client, asked_at = Loop::Now()] {
             if (!wish.ok()) return client->Close(wish.status());
             if (const absl::Status status = board.InPair(); !status.ok()) {
               return client->Close(status);
             }
             core::OperationAsked asked_for = *wish;
             asked_for.by = client->caller().name;
             operations.Ask(std::move(asked_for), asked_at, client);
           });
  return client.get();
}

}  // namespace

MaintenanceService::MaintenanceService(access::Desk& desk, const Board& board,
                                       Operations& operations, std::shared_ptr<grpc::Channel> peer)
    : desk_(desk), board_(board), operations_(operations), peer_(std::move(peer)) {}

void MaintenanceService::Stop() {
  for (const std::weak_ptr<Relay>& weak : relays_) {
    if (std::shared_ptr<Relay> relay = weak.lock()) relay->Cancel();
  }
  relays_.clear();
}

grpc::ServerWriteReactor<v1::Step>* MaintenanceService::Switchover(
    grpc::CallbackServerContext* context, const v1::SwitchoverRequest* request) {
  auto client = StepStream::Make();
  desk_.Ask({*context, "zcluster.v1.MaintenanceService/Switchover", InWords(*request)}, client,
            [this, client, request = *request, asked_at = Loop::Now()] {
              const auto wish = WishOf(request, client->caller().name);
              if (!wish.ok()) {
                client->Close(wish.status());
              } else if (const absl::Status status = board_.InPair(); !status.ok()) {
                client->Close(status);
              } else if (board_.view().local.role == core::Role::kMaster) {
                operations_.Ask(*wish, asked_at, client);
              } else if (request.leave()) {
                client->Write(MakeStep(
                    absl::StrCat(Describe(board_.view().local), ": there is nothing to hand over"),
                    Loop::Now() - asked_at));
                client->Close(absl::OkStatus());
              } else {
                PassOn(*wish, asked_at, client);
              }
            });
  return client.get();
}

void MaintenanceService::PassOn(const core::OperationAsked& wish, absl::Time asked_at,
                                Stream client) {
  const core::NodeView& remote = board_.view().remote;
  if (peer_ == nullptr || remote.role != core::Role::kMaster) {
    client->Close(NobodyIsMaster(board_));
    return;
  }
  client->Write(
      MakeStep(absl::StrCat("asked ", remote.name, ", the master"), Loop::Now() - asked_at));
  v1::SwitchoverRequest request;
  request.set_force(wish.force);
  request.set_reason(wish.reason);
  request.set_asked_by(wish.by);
  relays_.erase(std::remove_if(relays_.begin(), relays_.end(),
                               [](const std::weak_ptr<Relay>& relay) { return relay.expired(); }),
                relays_.end());
  relays_.push_back(Relay::Switchover(peer_, request, remote.name,
                                      SwitchoverBound(board_.options().advert_interval),
                                      std::move(client)));
}

grpc::ServerWriteReactor<v1::Step>* MaintenanceService::Enter(grpc::CallbackServerContext* context,
                                                              const v1::EnterRequest* request) {
  return AskBrain(desk_, board_, operations_,
                  {*context, "zcluster.v1.MaintenanceService/Enter", InWords(*request)},
                  WishOf(*request));
}

grpc::ServerWriteReactor<v1::Step>* MaintenanceService::Start(grpc::CallbackServerContext* context,
                                                              const v1::StartRequest* request) {
  return AskBrain(desk_, board_, operations_,
                  {*context, "zcluster.v1.MaintenanceService/Start", InWords(request->force())},
                  Wish(core::OperationKind::kStartMaintenance, request->force()));
}

grpc::ServerWriteReactor<v1::Step>* MaintenanceService::Freeze(grpc::CallbackServerContext* context,
                                                               const v1::FreezeRequest* request) {
  return AskBrain(desk_, board_, operations_,
                  {*context, "zcluster.v1.MaintenanceService/Freeze", InWords(*request)},
                  WishOf(*request));
}

grpc::ServerWriteReactor<v1::Step>* MaintenanceService::Unfreeze(
    grpc::CallbackServerContext* context, const v1::UnfreezeRequest*) {
  return AskBrain(desk_, board_, operations_,
                  {*context, "zcluster.v1.MaintenanceService/Unfreeze", ""},
                  Wish(core::OperationKind::kUnfreeze, /*force=*/false));
}

PeerMaintenanceService::PeerMaintenanceService(access::Desk& desk, const Board& board,
                                               Operations& operations)
    : desk_(desk), board_(board), operations_(operations) {}

grpc::ServerWriteReactor<v1::Step>* PeerMaintenanceService::Switchover(
    grpc::CallbackServerContext* context, const v1::SwitchoverRequest* request) {
  auto client = StepStream::Make();
  desk_.Ask({*context, "zcluster.v1.MaintenanceService/Switchover", InWords(*request)}, client,
            [this, client, request = *request, asked_at = Loop::Now()] {
              const auto wish = WishOf(request, "");
              if (!wish.ok()) return client->Close(wish.status());
              const core::NodeView& local = board_.view().local;
              if (local.role != core::Role::kMaster) {
                return client->Close(absl::FailedPreconditionError(
                    absl::StrCat(local.name, " was asked as the master, but ", Describe(local))));
              }
              operations_.Ask(*wish, asked_at, client);
            });
  return client.get();
}

}  // namespace zcluster::api
