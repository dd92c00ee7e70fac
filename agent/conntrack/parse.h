// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/netlink.h>

#include "agent/conntrack/flow.h"

namespace zcluster::conntrack {

// Reads a conntrack message of the kernel (an event or a part of a dump) into `flow`, `gone`
// included. False, with `flow` unspecified, if it is no such message or tells of what we do not
// replicate: a protocol other than TCP, UDP, ICMP and ICMPv6, or a zone that holds in one direction
// only. `message` must be whole.
bool ParseFlow(const nlmsghdr& message, Flow& flow);

}  // namespace zcluster::conntrack
