// SPDX-License-Identifier: Apache-2.0
#include "agent/api/api.h"

#include <utility>
#include <variant>

#include "agent/api/board.h"
#include "agent/api/cluster_service.h"
#include "agent/api/desk.h"
#include "agent/api/maintenance_service.h"
#include "agent/api/operations.h"

namespace zcluster::api {

struct Api::Parts {
  Parts(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer)
      : board(std::move(options)),
        desk(loop),
        cluster(desk, board),
        maintenance(desk, board, operations, std::move(peer)),
        peer_maintenance(desk, board, operations) {}

  Board board;
  Operations operations;
  Desk desk;
  ClusterService cluster;
  MaintenanceService maintenance;
  PeerMaintenanceService peer_maintenance;
};

Api::Api(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer)
    : parts_(std::make_unique<Parts>(loop, std::move(options), std::move(peer))) {}

Api::~Api() { Stop(); }

std::vector<grpc::Service*> Api::local_services() {
  return {&parts_->cluster, &parts_->maintenance};
}

std::vector<grpc::Service*> Api::peer_services() { return {&parts_->peer_maintenance}; }

absl::Status Api::Start(EventSink& events) {
  parts_->operations.Start(events);
  return absl::OkStatus();
}

void Api::Perform(const core::Action& action) {
  if (const auto* publish = std::get_if<core::Publish>(&action)) {
    parts_->board.Publish(publish->view);
  } else if (const auto* step = std::get_if<core::Progressed>(&action)) {
    parts_->operations.Progress(*step);
  } else if (const auto* end = std::get_if<core::Finished>(&action)) {
    parts_->operations.Finish(*end);
  }
}

void Api::Reconfigure(Options options) { parts_->board.SetOptions(std::move(options)); }

void Api::Stop() {
  parts_->desk.Close();
  parts_->maintenance.Stop();
  parts_->operations.Abandon();
}

}  // namespace zcluster::api
