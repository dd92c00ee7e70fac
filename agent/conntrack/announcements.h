// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "agent/conntrack/expectation.h"

namespace zcluster::conntrack {

// What the peer has not been sent yet of the expectations: a part of Changes, and guarded by its
// lock. Each leaves after the flows that came before it, its master among them.
class Announcements {
 public:
  // Far more than the kernel has (nf_conntrack_expect_max is 4096 by default); beyond it, new ones
  // are not sent.
  static constexpr size_t kMost = 1 << 16;

  // Forgets all that waits and that the peer was sent.
  void Clear();
  // It is so now; `position` is that of the next flow's change.
  void Add(const Expectation& expectation, uint64_t position);

  // These are all that there are: what the peer was sent beside them is no more.
  void EndBut(absl::Span<const Expectation> found, uint64_t position);

  // There is something to take once all changes before `taken` are.
  bool Ready(uint64_t taken) const { return !order_.empty() && order_.front().first <= taken; }
  // Moves what is ready into `expectations`, up to `most` in all.
  void Take(uint64_t taken, size_t most, std::vector<Expectation>& expectations);

  // Bytes that they take.
  size_t Memory() const;
  // Of all that the peer was sent and that is not gone.
  uint64_t digest() const { return digest_; }

 private:
  struct Entry {
    Expectation now;
    uint64_t position = 0;  // in order_, while it waits
    uint64_t digest = 0;    // as it was sent; 0: it was not
    bool waits = false;
  };
  absl::flat_hash_map<FlowKey, Entry> entries_;
  std::deque<std::pair<uint64_t, FlowKey>> order_;  // some may have become void
  uint64_t digest_ = 0;
};

}  // namespace zcluster::conntrack
