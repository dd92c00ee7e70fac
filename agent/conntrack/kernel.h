// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace zcluster::conntrack {

// Makes the kernel report every flow from now on, in the network namespace of the calling thread.
// By default (nf_conntrack_events=2) a flow that is made while nobody listens never reports
// anything, not even its end. FAILED_PRECONDITION names what is missing and how to get it.
//
// `state_file` remembers how it was before, on disk before it is changed, unless it remembers that
// already: what a node was like before it was in a pair is not what an agent left there. Empty:
// nothing is remembered.
absl::Status TurnEventsOn(const std::string& state_file);

// Makes it what `state_file` remembers, and removes that; OK if it remembers nothing, or there is
// no connection tracking any more.
absl::Status RestoreEvents(const std::string& state_file);

// Entries of the kernel's table, in the network namespace of the calling thread (those of others
// are not counted, though the maximum is that of all), and the most that it takes; 0: no limit, or
// it cannot be read.
struct TableFill {
  uint64_t entries = 0;
  uint64_t maximum = 0;
};
TableFill ReadTableFill();

}  // namespace zcluster::conntrack
