// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/netlink.h"

namespace zcluster::conntrack {

// The kernel's entry as it is now, or nothing. `socket` has nothing else to be read; `sequence` is
// new to it. `labels`: read them, too.
absl::StatusOr<absl::optional<Flow>> Lookup(const NetlinkSocket& socket, uint32_t sequence,
                                            const FlowKey& key, bool labels = true);

}  // namespace zcluster::conntrack
