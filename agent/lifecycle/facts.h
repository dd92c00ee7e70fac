// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/config/config.h"
#include "agent/lifecycle/paths.h"
#include "zcluster/v1/bootstrap.pb.h"

// May these two nodes be a pair? Each looks at itself; the future master compares.
namespace zcluster::lifecycle {

// Further apart, and certificates, logs and leases would be read wrongly.
inline constexpr absl::Duration kMaxClockSkew = absl::Seconds(60);

// What this node is, and what keeps it from being in a pair as `ask` has it (proto Facts).
absl::StatusOr<v1::Facts> LookAtSelf(const config::AgentSettings& self, const Paths& paths,
                                     const v1::Ask& ask);

// OK if both fit together; else the first thing that does not, and the way out. `heard` is when the
// other's facts arrived, by our clock, at most `round_trip` after it told them.
absl::Status Compare(const v1::Facts& here, const v1::Facts& there, absl::Time heard,
                     absl::Duration round_trip);

}  // namespace zcluster::lifecycle
