// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/strings/string_view.h"
#include "agent/core/event.h"
#include "agent/core/state.h"
#include "agent/core/types.h"

// How the brain's words are written for people: MASTER, switchover.
namespace zcluster::core {

absl::string_view Name(Role role);
absl::string_view Name(VrrpState state);
absl::string_view Name(OperationKind kind);
absl::string_view Name(Phase phase);
absl::string_view Name(Replicator replicator);  // what it replicates: "flows"
absl::string_view Name(Failback failback);
absl::string_view Name(NetworkSeen::What what);

}  // namespace zcluster::core
