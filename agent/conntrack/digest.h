// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "agent/conntrack/flow.h"

namespace zcluster::conntrack {

// Of one flow: its key, NAT, status and mark, and what it has of Rare, by XXH3-64. TCP's state is
// left out, for an update may not tell it. The sum over a table (modulo 2^64) does not depend on
// order, and follows each change at the price of two digests: so both nodes can compare what they
// hold, at any batch.
uint64_t DigestOf(const Flow& flow);

}  // namespace zcluster::conntrack
