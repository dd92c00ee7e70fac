// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <set>

namespace zcluster::sim {

// The faults of a history that are left out, by their number: 1 is the first.
using Without = std::set<uint64_t>;

// Runs of a shrinking history: a bound for patience. A run takes milliseconds.
constexpr int kMostTries = 300;

// As many of `picks` faults as can be left out one group after the other, larger groups first,
// while `breaks` says that the history still breaks the same invariant.
Without Shrink(uint64_t picks, const std::function<bool(const Without& without)>& breaks);

}  // namespace zcluster::sim
