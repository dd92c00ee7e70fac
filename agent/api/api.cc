// SPDX-License-Identifier: Apache-2.0
#include "agent/api/api.h"

#include <utility>
#include <variant>

#include "agent/api/board.h"
#include "agent/api/cluster_service.h"
#include "agent/api/conflict_service.h"
#include "agent/api/event_pages.h"
#include "agent/api/maintenance_service.h"
#include "agent/api/node_service.h"
#include "agent/api/operations.h"
#include "agent/api/operator_service.h"
#include "common/access/desk.h"

namespace zcluster::api {

struct Api::Parts {
  Parts(Loop& loop, Options options, const std::shared_ptr<grpc::Channel>& peer, Guard& guard,
        AuditTrail& audit, Lifecycle& lifecycle)
      : board(std::move(options)),
        events(board),
        desk(loop, guard),
        cluster(desk, board, lifecycle, events, peer),
        maintenance(desk, board, operations, peer),
        node(desk, lifecycle),
        operators(desk, lifecycle, audit),
        conflicts(desk, board),
        peer_cluster(desk, board, events),
        peer_maintenance(desk, board, operations) {}

  Board board;
  EventPages events;
  Operations operations;
  access::Desk desk;
  ClusterService cluster;
  MaintenanceService maintenance;
  NodeService node;
  OperatorService operators;
  ConflictService conflicts;
  PeerClusterService peer_cluster;
  PeerMaintenanceService peer_maintenance;
};

Api::Api(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer, Guard& guard,
         AuditTrail& audit, Lifecycle& lifecycle)
    : parts_(std::make_unique<Parts>(loop, std::move(options), peer, guard, audit, lifecycle)) {}

Api::~Api() { Stop(); }

std::vector<grpc::Service*> Api::local_services() {
  return {&parts_->cluster, &parts_->maintenance, &parts_->node, &parts_->operators,
          &parts_->conflicts};
}

std::vector<grpc::Service*> Api::peer_services() {
  return {&parts_->peer_cluster, &parts_->peer_maintenance};
}

absl::Status Api::Start(EventSink& events) {
  parts_->operations.Start(events);
  return absl::OkStatus();
}

void Api::Perform(const core::Action& action) {
  if (const auto* publish = std::get_if<core::Publish>(&action)) {
    parts_->board.Publish(publish->view);
    parts_->cluster.Changed();
  } else if (const auto* step = std::get_if<core::Progressed>(&action)) {
    parts_->operations.Progress(*step);
  } else if (const auto* end = std::get_if<core::Finished>(&action)) {
    parts_->operations.Finish(*end);
  }
}

void Api::Reconfigure(Options options) {
  parts_->board.SetOptions(std::move(options));
  parts_->cluster.Changed();
}

void Api::ShowController(std::function<v1::ControllerState()> state) {
  parts_->board.ShowController(std::move(state));
}

void Api::ShowEvents(EventJournal& journal) { parts_->events.SetJournal(journal); }

v1::GetStatusResponse Api::Status() const { return parts_->board.Status(Loop::Now()); }

void Api::Stop() {
  parts_->desk.Close();
  parts_->cluster.Stop();
  parts_->maintenance.Stop();
  parts_->operations.Abandon();
}

}  // namespace zcluster::api
