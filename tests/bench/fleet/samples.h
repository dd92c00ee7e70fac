// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "tests/support/fleet_identity.h"
#include "zcluster/v1/event.pb.h"
#include "zcluster/v1/fleet_link.pb.h"

// What simulated agents say: of the size and shape that real ones would. Pure, but for the clock.
namespace zcluster::fleet_bench {

// A report of a healthy pair of two nodes: four VIPs, replication of connections, one root. The
// first node of each pair is master. `flows` is what changes from one to the next.
v1::AgentReport ReportOf(const test::FleetIdentity& agent, uint64_t flows);

// An event that carries when it was made, by the machine's steady clock.
v1::Event EventNow();
// How long ago that was; none: it is no event of ours.
absl::optional<absl::Duration> AgeOf(const v1::Event& event);

}  // namespace zcluster::fleet_bench
