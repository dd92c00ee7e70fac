// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "agent/conntrack/expectation_table.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/kernel_writer.h"
#include "agent/conntrack/timeouts.h"

namespace zcluster::conntrack {

// Gives each of `flows`, as just read from the kernel, the timeout of its state if it is held. One
// whose timeout is fixed (GRE) is made anew, to end after kGreLife. What has ended meanwhile stays
// so.
void Release(KernelWriter& writer, const std::vector<Flow>& flows, const Timeouts& timeouts);

// The same of the kernel's expectations, in the network namespace of the calling thread. `known`:
// what timeouts they had on the master; may be null.
void ReleaseExpectations(KernelWriter& writer, const ExpectationTable* known);

}  // namespace zcluster::conntrack
