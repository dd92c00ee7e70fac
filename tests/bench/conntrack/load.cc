// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/conntrack/load.h"

#include <algorithm>

#include "common/status.h"
#include "tests/bench/conntrack/netns.h"

namespace zcluster::conntrack_bench {
namespace {

constexpr double kNsPerSecond = 1e9;
constexpr double kStep = 50e-6;  // seconds

}  // namespace

absl::StatusOr<Done> Run(const Pace& pace,
                         const std::function<absl::Status(uint64_t first, size_t count)>& make) {
  SharpenSleep();
  auto step = static_cast<uint64_t>(pace.at_most);
  if (pace.rate > 0)
    step = std::clamp<uint64_t>(static_cast<uint64_t>(pace.rate * kStep), 1, pace.at_most);
  double cpu = 0;
  const int64_t start = NowNs();
  for (uint64_t made = 0; made < pace.count;) {
    uint64_t count = step;
    if (pace.rate > 0) {
      SleepUntil(start +
                 static_cast<int64_t>(static_cast<double>(made) / pace.rate * kNsPerSecond));
      const double passed = static_cast<double>(NowNs() - start) / kNsPerSecond;
      const auto due = static_cast<uint64_t>(passed * pace.rate);
      if (due > made + step) count = std::min<uint64_t>(due - made, pace.at_most);
    }
    count = std::min(count, pace.count - made);
    // Not of the sleep: on a virtual machine that may cost ten times as much as a flow.
    const double before = ThreadCpuSeconds();
    ZC_RETURN_IF_ERROR(make(pace.first + made, static_cast<size_t>(count)));
    cpu += ThreadCpuSeconds() - before;
    made += count;
  }
  const double seconds = static_cast<double>(NowNs() - start) / kNsPerSecond;
  return Done{pace.count, seconds, cpu};
}

}  // namespace zcluster::conntrack_bench
