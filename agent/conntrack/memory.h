// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "agent/conntrack/rare.h"

// How many bytes what is kept of flows takes, told without walking it. Pure.
namespace zcluster::conntrack {

// A flat_hash_map's or _set's: each slot, used or not, and its control byte.
template <typename Table>
size_t TableBytes(const Table& table) {
  return table.capacity() * (sizeof(typename Table::value_type) + 1);
}

// A deque's, but for the ends of its first and last block.
template <typename Deque>
size_t DequeBytes(const Deque& deque) {
  return deque.size() * sizeof(typename Deque::value_type);
}

// What the few flows have that have it. Each is an allocation of its own: the count of its holders,
// and what malloc adds.
inline size_t RareBytes(const absl::flat_hash_map<FlowKey, RarePtr>& rare) {
  constexpr size_t kShared = 32;
  return TableBytes(rare) + rare.size() * (sizeof(Rare) + kShared);
}

}  // namespace zcluster::conntrack
