// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tests/lab/traffic/control.h"
#include "tests/lab/traffic/report.h"

namespace zcluster::traffic {

struct RequestsOptions {
  Endpoint to;
  uint64_t per_second = 100;
  uint64_t timeout_ns = 3'000'000'000;  // long enough for a SYN that is sent again after 1 s
};

// A steady load of short requests: each is a TCP connection of its own that sends 64 bytes,
// compares what comes back, and closes. A stop lets the requests under way finish. Reports, as
// JSON:
//   started, ok, failed (refused, reset, timed_out, corrupt: its parts), under_way
//   slowest_ms, p50_ms, p99_ms   of the good ones, from connect() to the last byte
// Returns the process's exit code: 2 if any byte was wrong.
int Requests(const RequestsOptions& options, Control& control, Reporter& reporter);

}  // namespace zcluster::traffic
