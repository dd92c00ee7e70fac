// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/conntrack/expectation.h"

// Expectations in the kernel's messages. As message.h and parse.h: each is written at `at`, which
// must be aligned to 4 and have kMaxMessage bytes; its length is returned.
namespace zcluster::conntrack {

// Reads an expectation message of the kernel (an event or a part of a dump), `gone` included.
// False, with `expectation` unspecified, if it is no such message or tells of what we do not
// replicate. The kernel does not tell the zone: it is taken to be 0. `message` must be whole.
bool ParseExpectation(const nlmsghdr& message, Expectation& expectation);

// Makes one that must not exist yet (EEXIST if it does), after its master (ENOENT if that is not
// there, EOPNOTSUPP if that has no helper). It gets the timeout that its helper gives.
size_t PutExpect(void* at, uint32_t sequence, const Expectation& expectation);
// Sets the timeout of one that exists, in seconds.
size_t PutExpectTimeout(void* at, uint32_t sequence, const Expectation& expectation,
                        uint32_t timeout);
// Ends it. ENOENT if there is none.
size_t PutUnexpect(void* at, uint32_t sequence, const Expectation& expectation);

// All of the kernel's (at most some thousands: nf_conntrack_expect_max), in the network namespace
// of the calling thread.
absl::StatusOr<std::vector<Expectation>> ListExpectations();

}  // namespace zcluster::conntrack
