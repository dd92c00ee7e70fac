// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace zcluster::conntrack_bench {

// The calling thread, and those that it starts, live in the network namespace `name` of `ip netns`
// from now on.
absl::Status Enter(const std::string& name);

// Steady clock; the same in all namespaces. In nanoseconds.
int64_t NowNs();
// Sleeps until then, or not at all; the calling thread must have called SharpenSleep().
void SleepUntil(int64_t at_ns);
// Has the kernel wake the calling thread when asked for, not some 50 us later.
void SharpenSleep();

// What the calling thread has used.
double ThreadCpuSeconds();

}  // namespace zcluster::conntrack_bench
