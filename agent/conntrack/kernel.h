// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"

namespace zcluster::conntrack {

// Makes the kernel report every flow from now on, in the network namespace of the calling thread.
// By default (nf_conntrack_events=2) a flow that is made while nobody listens never reports
// anything, not even its end. FAILED_PRECONDITION names what is missing and how to get it.
absl::Status TurnEventsOn();

}  // namespace zcluster::conntrack
