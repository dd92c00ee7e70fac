// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/core/state.h"

// May a node that has just booted take part in the election? Not before it knows whether its peer
// serves, and holds what the peer holds: else it would take over with nothing, for the peer's
// adverts may reach it later than its patience lasts. But no longer than a bound: a node that is
// alone must serve with what it has. Pure.
namespace zcluster::core {

constexpr absl::Duration kBootGate = absl::Seconds(15);
// The fault's reason meanwhile.
inline constexpr absl::string_view kBootReason = "boot";

bool MayLeaveBootGate(const State& state, absl::Time now);

// What a node that opens its gate although it does not know all that its peer has says of what it
// serves with; `wall`: its wall clock. One sentence.
std::string AgeOfWhatIsHeld(const Durable& durable, absl::Time wall);

}  // namespace zcluster::core
