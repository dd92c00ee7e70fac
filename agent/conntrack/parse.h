// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/netlink.h>

#include "agent/conntrack/flow.h"

namespace zcluster::conntrack {

// Reads a conntrack message of the kernel (an event or a part of a dump) into `flow`, `gone`
// included. False, with `flow` unspecified, if it is no such message or tells of what we do not
// replicate (IsReplicable). `message` must be whole. `labels`: read them, too; they may hold what
// means nothing on another node.
bool ParseFlow(const nlmsghdr& message, Flow& flow, bool labels = true);

}  // namespace zcluster::conntrack
