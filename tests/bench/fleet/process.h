// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace zcluster::fleet_bench {

// What a process has of the machine, by /proc.
struct Usage {
  double resident_mib;
  absl::Duration cpu;  // of all its threads, since its start; in steps of 10 ms
};

// NOT_FOUND if there is no such process.
absl::StatusOr<Usage> UsageOf(pid_t pid);

}  // namespace zcluster::fleet_bench
