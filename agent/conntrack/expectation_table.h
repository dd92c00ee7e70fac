// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/container/flat_hash_map.h"
#include "agent/conntrack/expectation.h"
#include "agent/conntrack/memory.h"

namespace zcluster::conntrack {

// What a backup holds in its kernel of its master's expectations; as FlowTable. It changes nothing
// itself. One thread.
class ExpectationTable {
 public:
  // Before a snapshot: nothing is known.
  void Clear();
  // Before a snapshot: found in our kernel.
  void Adopt(const Expectation& expectation);

  // The master has it. False: the kernel has it so already.
  bool Name(const Expectation& expectation);
  // The master has it, and it is none for this node's kernel.
  void Skip(const Expectation& expectation);
  // The master has it no more, or the kernel would not have it; false if it is not in the kernel.
  bool End(const FlowKey& key);

  // The timeout that it had on the master, in seconds, or `otherwise`.
  uint32_t TimeoutOf(const FlowKey& key, uint32_t otherwise) const;

  // The snapshot is over: calls `gone` for each that was adopted but not named since, and forgets
  // it.
  void Sweep(const std::function<void(const Expectation&)>& gone);
  // All that are in the kernel.
  void ForEach(const std::function<void(const Expectation&)>& visit) const;

  // Bytes that the table takes.
  size_t Memory() const { return TableBytes(held_); }
  bool empty() const { return held_.empty(); }
  // Of all that the master has named, and not ended.
  uint64_t digest() const { return digest_; }

 private:
  struct Held {
    Expectation expectation;
    bool in_kernel = true;
    bool named = true;  // since the snapshot began
  };
  // Nothing of it counts any more.
  void Forget(const FlowKey& key);

  absl::flat_hash_map<FlowKey, Held> held_;
  uint64_t digest_ = 0;
};

}  // namespace zcluster::conntrack
