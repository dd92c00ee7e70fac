// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/shrink.h"

#include <algorithm>

namespace zcluster::sim {

Without Shrink(uint64_t picks, const std::function<bool(const Without& without)>& breaks) {
  Without without;
  int tries = 0;
  uint64_t group = std::max<uint64_t>(picks / 2, 1);
  bool again = true;
  while (again) {
    bool shrunk = false;
    for (uint64_t first = 1; first <= picks; first += group) {
      if (tries == kMostTries) return without;
      Without more = without;
      for (uint64_t at = first; at < first + group && at <= picks; ++at) more.insert(at);
      if (more.size() == without.size()) continue;
      ++tries;
      if (!breaks(more)) continue;
      without = std::move(more);
      shrunk = true;
    }
    // One by one until nothing more can go: what was needed beside another may not be without it.
    again = group > 1 || shrunk;
    group = std::max<uint64_t>(group / 2, 1);
  }
  return without;
}

}  // namespace zcluster::sim
