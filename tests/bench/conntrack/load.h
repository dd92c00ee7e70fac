// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace zcluster::conntrack_bench {

struct Pace {
  uint64_t first = 0;  // number of the first flow
  uint64_t count = 0;
  double rate = 0;     // flows a second; 0: as many as can be
  size_t at_most = 0;  // flows in one step
};

struct Done {
  uint64_t made = 0;
  double seconds = 0;
  double cpu_seconds = 0;  // the maker's own, without its sleep
};

// Calls `make(first, count)` again and again, with what has become due: at a rate, what 50 us bring
// at a time, so that flows come one by one as those of many clients do; late steps are made up for. The first error ends it.
absl::StatusOr<Done> Run(const Pace& pace,
                         const std::function<absl::Status(uint64_t first, size_t count)>& make);

}  // namespace zcluster::conntrack_bench
