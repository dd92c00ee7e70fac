// SPDX-License-Identifier: Apache-2.0
// What the brain does about a maintenance that has an end.
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/core/brain.h"
#include "agent/core/maintenance_time.h"

namespace zcluster::core {

// Ticks may be late, and what is on disk must be right to the second.
absl::Time Brain::WallClock() const { return state_.wall + (now_ - state_.wall_at); }

bool Brain::CountMaintenance() {
  Durable& durable = state_.durable;
  MaintenanceTime& time = state_.maintenance_time;
  if (!durable.maintenance || durable.maintenance_until == absl::InfiniteFuture() ||
      state_.wall == absl::InfinitePast() || time.over) {
    return false;
  }
  if (!time.ends) time.ends = now_ + Remaining(durable, WallClock());
  if (now_ >= *time.ends) {
    time.over = true;
    Log("maintenance_over",
        {{"until", absl::FormatTime(durable.maintenance_until, absl::UTCTimeZone())},
         {"reason", durable.maintenance_reason}});
    return true;
  }
  // The clock was set: the length stays, so the end moves with it.
  const absl::Duration off = WallClock() + (*time.ends - now_) - durable.maintenance_until;
  if (absl::AbsDuration(off) <= kClockTolerance) return false;
  durable.maintenance_since += off;
  durable.maintenance_until += off;
  Log("maintenance_end_moved",
      {{"cause", "the clock was set"},
       {"by", absl::FormatDuration(off)},
       {"until", absl::FormatTime(durable.maintenance_until, absl::UTCTimeZone())}},
      /*warning=*/true);
  return true;
}

bool Brain::DecideReturn() {
  if (!MayComeBack(state_, now_)) return false;
  Operation operation;
  operation.kind = OperationKind::kStartMaintenance;
  Begin(std::move(operation));
  AdvanceOperation();
  return true;
}

void Brain::AmendMaintenance(const OperationAsked& event) {
  Durable& durable = state_.durable;
  if (!event.reason.empty()) durable.maintenance_reason = event.reason;
  if (event.length != absl::InfiniteDuration() || state_.maintenance_time.over) {
    GoOut(durable, std::string(durable.maintenance_reason), WallClock(), event.length);
    state_.maintenance_time = {};
    CountMaintenance();
  }
  const std::string stays =
      absl::StrCat(state_.config.node_name, " stays ", MaintenanceText(durable));
  words_.push_back(Progressed{event.operation, stays});
  words_.push_back(Finished{event.operation, absl::OkStatus()});
  Log("maintenance_amended", {{"now", stays}});
}

}  // namespace zcluster::core
