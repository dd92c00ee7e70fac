// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace zcluster::conntrack_bench {

struct Latencies {
  uint64_t made = 0;
  std::vector<double> us;  // of those that arrived, sorted
};

// Makes `count` flows by packets in one namespace, `rate` a second, and tells how long each took to
// be in the kernel of the other: from before its packet was sent to the event of its entry there.
// Whoever never arrives within two seconds after the last was made is left out.
absl::StatusOr<Latencies> Measure(const std::string& from, const std::string& to, uint64_t count,
                                  double rate);

}  // namespace zcluster::conntrack_bench
