// SPDX-License-Identifier: Apache-2.0
#include "agent/core/maintenance_time.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/core/maintenance.h"

namespace zcluster::core {

void GoOut(Durable& durable, absl::string_view reason, absl::Time wall, absl::Duration length) {
  durable.maintenance = true;
  durable.maintenance_reason = std::string(reason);
  durable.maintenance_since = wall;
  durable.maintenance_until =
      length == absl::InfiniteDuration() ? absl::InfiniteFuture() : wall + length;
}

void ComeIn(Durable& durable) {
  const Durable never;
  durable.maintenance = false;
  durable.maintenance_reason.clear();
  durable.maintenance_since = never.maintenance_since;
  durable.maintenance_until = never.maintenance_until;
}

absl::Duration Remaining(const Durable& durable, absl::Time wall) {
  const absl::Duration whole = durable.maintenance_until - durable.maintenance_since;
  return std::clamp(durable.maintenance_until - wall, absl::ZeroDuration(), whole);
}

bool MayComeBack(const State& state, absl::Time now) {
  const MaintenanceTime& time = state.maintenance_time;
  if (!state.durable.maintenance || !time.over || state.operation) return false;
  if (state.durable.freeze.active) return false;
  if (now < time.no_return_before) return false;
  const Peer& peer = state.peer;
  if (!peer.connected || !peer.told || peer.told->role == Role::kUnknown) {
    return now >= std::max(peer.since, *time.ends) + kReturnUnheard;
  }
  return !MustSynchroniseFirst(state);
}

std::string MaintenanceText(const Durable& durable) {
  std::string text = "in maintenance";
  if (durable.maintenance_until != absl::InfiniteFuture()) {
    absl::StrAppend(
        &text, " until ",
        absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", durable.maintenance_until, absl::UTCTimeZone()));
  }
  if (!durable.maintenance_reason.empty()) {
    absl::StrAppend(&text, ": ", durable.maintenance_reason);
  }
  return text;
}

}  // namespace zcluster::core
