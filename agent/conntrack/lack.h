// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace zcluster::conntrack {

// What a backup's kernel does not hold of what its master has, though it should.
struct Lack {
  uint64_t flows = 0;
  // Of the kernel's table, if it has not taken them because it is full; else 0.
  uint64_t entries = 0;
  uint64_t maximum = 0;
  bool operator==(const Lack&) const = default;
};

}  // namespace zcluster::conntrack
