// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"

// Kernel tables, read by code of our own: what is measured must not be the judge of itself.
namespace zcluster::conntrack_bench {

using Socket = std::unique_ptr<mnl_socket, int (*)(mnl_socket*)>;

// A netfilter socket in the network namespace of the calling thread; `groups` is a mask of
// NFNLGRP_*, `buffer` in bytes.
absl::StatusOr<Socket> OpenSocket(unsigned groups, int buffer);

// The number of the flow that `message` tells of; nothing if it is none of ours.
absl::optional<uint64_t> NumberIn(const nlmsghdr& message);

// All flows of a namespace, each as the bytes of what must be the same on both nodes: both
// directions, zone, mark, state, and of the status SEEN_REPLY, ASSURED, CONFIRMED, SRC_NAT and
// DST_NAT. Sorted.
absl::StatusOr<std::vector<std::string>> ReadTable(const std::string& netns);

struct Difference {
  uint64_t first = 0;  // flows of the first table, of the second
  uint64_t second = 0;
  uint64_t only_first = 0;  // flows that only it has, or has otherwise
  uint64_t only_second = 0;
  bool Equal() const { return only_first == 0 && only_second == 0; }
};
Difference Compare(const std::vector<std::string>& first, const std::vector<std::string>& second);

// How many flows a namespace's kernel has, by its own count, which may contain some that have
// ended.
absl::StatusOr<uint64_t> Count(const std::string& netns);

}  // namespace zcluster::conntrack_bench
