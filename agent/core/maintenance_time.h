// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/core/state.h"

// A maintenance that was entered for a time: how long is it still, when may the node come back by
// itself? The disk holds the end by the wall clock, for that alone outlives a boot. While the agent
// lives the loop's clock counts, which does not jump. Pure.
namespace zcluster::core {

// How far the wall clock may be from where the loop's clock expects it before the end that is on
// disk is moved with it: more than a clock that is slewed gains in a day.
constexpr absl::Duration kClockTolerance = absl::Seconds(50);
// A peer that is not seen, or does not know its role yet, may serve all the same: so long its word
// is waited for. Then a node that nobody answers is better than none.
constexpr absl::Duration kReturnUnheard = absl::Seconds(15);
// The pause after an end that did not succeed.
constexpr absl::Duration kReturnPause = absl::Seconds(60);

// What `durable` says once the node goes out at the time `wall`, and once it is back.
void GoOut(Durable& durable, absl::string_view reason, absl::Time wall, absl::Duration length);
void ComeIn(Durable& durable);

// What is left of the maintenance by the wall clock. A clock that was set back before this agent
// began makes it at most as long again as it was meant to be; one that was set forward ends it.
absl::Duration Remaining(const Durable& durable, absl::Time wall);

// May a node whose time is over come back by itself now? Where there is a master only once
// synchronised with it, however long that takes. Asked on ticks.
bool MayComeBack(const State& state, absl::Time now);

// "in maintenance until 2026-11-26 12:00:00 UTC: a new disk": all that an operator gave.
std::string MaintenanceText(const Durable& durable);

}  // namespace zcluster::core
