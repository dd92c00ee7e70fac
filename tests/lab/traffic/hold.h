// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/lab/traffic/control.h"
#include "tests/lab/traffic/report.h"

namespace zcluster::traffic {

// What a connection does: send and receive all the time; be silent but for one exchange after each
// mark; or, half open, have ended its own direction and only receive, a little each tenth of a
// second.
enum class Kind { kBusy, kIdle, kHalfOpen };

// Reads "busy,idle,half-open". Throws std::invalid_argument naming what is wrong.
std::vector<Kind> ParseKinds(std::string_view text);

struct HoldOptions {
  Endpoint to;
  size_t connections = 200;
  std::vector<Kind> kinds = {Kind::kBusy};  // the connections take them in turn; not empty
  uint64_t bytes_per_second = 2000;         // that each connection sends, and gets back
};

// Keeps long-lived TCP connections and compares each byte that comes back.
// Reports, as JSON:
//   opened        connections that ever stood; `ready` once every one stands or has failed
//   open          alive, and bytes sent since the last mark came back right (of a half-open one:
//                 came since the mark)
//   stalled       alive, but nothing sent since the mark has come back: lost, if that lasts
//   reset, closed, timed_out, failed   how the others ended; failed: never stood, or another error
//   moved_since_mark                   connections on which bytes moved since the mark, ended or
//   not marks, bytes_verified, corrupt     corrupt: connections on which a wrong byte came back
// Returns the process's exit code: 2 if any byte was wrong.
int Hold(const HoldOptions& options, Control& control, Reporter& reporter);

}  // namespace zcluster::traffic
