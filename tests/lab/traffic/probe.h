// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tests/lab/traffic/control.h"
#include "tests/lab/traffic/report.h"

namespace zcluster::traffic {

struct ProbeOptions {
  Endpoint to;
  bool tcp = false;
  uint64_t interval_ns = 1'000'000;
  uint64_t threshold_ns = 5'000'000;  // shorter gaps are not listed
};

// Sends one small probe each interval and sees which are answered. Over UDP a gap runs from the
// last answered probe to the next answered one, by the times at which they were sent; over TCP,
// which sends again whatever was lost, by the times at which the answers came. The times are
// CLOCK_MONOTONIC. Reports, as JSON:
//   sent, answered, gaps [{"from_ns", "ms"}] (the first 1000), gaps_seen
//   outage_ms           the longest gap that ended since the last mark, or has not ended yet
//   silent_ms           how long there has been no answer, at the time of the report
//   longest_own_pause_ms   the longest time between two of our own probes: a busy machine, not an
//   outage
// Returns the process's exit code: 2 if an answer was wrong.
int Probe(const ProbeOptions& options, Control& control, Reporter& reporter);

}  // namespace zcluster::traffic
