// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/lab/traffic/control.h"
#include "tests/lab/traffic/report.h"

namespace zcluster::traffic {

struct HoldOptions {
  Endpoint to;
  size_t connections = 200;
  uint64_t bytes_per_second = 2000;  // that each connection sends, and gets back
};

// Keeps long-lived TCP connections busy in both directions and compares each byte that comes back.
// Reports, as JSON:
//   opened        connections that ever stood; `ready` once every one stands or has failed
//   open          alive, and bytes sent since the last mark came back right
//   stalled       alive, but nothing sent since the mark has come back: lost, if that lasts
//   reset, closed, timed_out, failed   how the others ended; failed: never stood, or another error
//   moved_since_mark                   connections on which bytes moved since the mark, ended or
//   not marks, bytes_verified, corrupt     corrupt: connections on which a wrong byte came back
// Returns the process's exit code: 2 if any byte was wrong.
int Hold(const HoldOptions& options, Control& control, Reporter& reporter);

}  // namespace zcluster::traffic
