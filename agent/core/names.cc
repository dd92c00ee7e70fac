// SPDX-License-Identifier: Apache-2.0
#include "agent/core/names.h"

namespace zcluster::core {

absl::string_view Name(Role role) {
  switch (role) {
    case Role::kUnknown:
      return "UNKNOWN";
    case Role::kMaster:
      return "MASTER";
    case Role::kBackup:
      return "BACKUP";
    case Role::kMaintenance:
      return "MAINTENANCE";
    case Role::kFault:
      return "FAULT";
    case Role::kUnconfigured:
      return "UNCONFIGURED";
  }
  return "UNKNOWN";
}

absl::string_view Name(VrrpState state) {
  switch (state) {
    case VrrpState::kDown:
      return "DOWN";
    case VrrpState::kBackup:
      return "BACKUP";
    case VrrpState::kMaster:
      return "MASTER";
    case VrrpState::kFault:
      return "FAULT";
  }
  return "UNKNOWN";
}

absl::string_view Name(OperationKind kind) {
  switch (kind) {
    case OperationKind::kSwitchover:
      return "switchover";
    case OperationKind::kEnterMaintenance:
      return "maintenance enter";
    case OperationKind::kStartMaintenance:
      return "maintenance start";
    case OperationKind::kFreeze:
      return "freeze";
    case OperationKind::kUnfreeze:
      return "unfreeze";
  }
  return "unknown operation";
}

absl::string_view Name(Phase phase) {
  switch (phase) {
    case Phase::kFlushing:
      return "flushing";
    case Phase::kHandingOver:
      return "handing_over";
    case Phase::kReturning:
      return "returning";
    case Phase::kGoingOut:
      return "going_out";
    case Phase::kSynchronising:
      return "synchronising";
    case Phase::kComingIn:
      return "coming_in";
    case Phase::kRejoining:
      return "rejoining";
  }
  return "unknown";
}

absl::string_view Name(Replicator replicator) {
  switch (replicator) {
    case Replicator::kConntrack:
      return "flows";
    case Replicator::kConfig:
      return "files";
    case Replicator::kCommands:
      return "commands";
  }
  return "unknown";
}

absl::string_view Name(Failback failback) {
  return failback == Failback::kKeep ? "KEEP" : "PREFERRED";
}

absl::string_view Name(NetworkSeen::What what) {
  switch (what) {
    case NetworkSeen::What::kLastAdvert:
      return "last_advert";
    case NetworkSeen::What::kVips:
      return "vips";
    case NetworkSeen::What::kFirstPacket:
      return "first_packet";
  }
  return "?";
}

}  // namespace zcluster::core
