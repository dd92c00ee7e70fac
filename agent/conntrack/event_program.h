// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "agent/conntrack/rules.h"

namespace zcluster::conntrack {

// A filter for a socket that listens to conntrack events (classic BPF, SO_ATTACH_FILTER): it drops,
// in the kernel and before anybody is woken, what the socket `muted` caused, and events of flows
// that `rules` never take (Rules::MayTake), as far as the kernel's 4,096 instructions go; what is
// left out passes. Events of expectations pass.
std::vector<sock_filter> EventProgram(uint32_t muted, const Rules& rules);

}  // namespace zcluster::conntrack
