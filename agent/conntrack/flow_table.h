// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/container/flat_hash_map.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/memory.h"

namespace zcluster::conntrack {

// What a backup holds in its kernel for its master, and so what a change means there. It changes
// nothing itself. One thread.
class FlowTable {
 public:
  // What makes the kernel's entry what the master's is.
  enum class Change {
    kNone,  // it is already
    kCreate,
    kUpdate,
    kReplace,  // NAT, helper, master or zone, or a status bit that cannot be taken back: delete,
               // create
  };

  // Before a snapshot: nothing is known.
  void Clear() {
    flows_.clear();
    rare_.clear();
    skipped_.clear();
    digest_ = 0;
  }
  // Before a snapshot: found in our kernel. `held`: with a timeout such as we give.
  void Adopt(const Flow& flow, bool held);

  // The master has `flow`. `whole` becomes all that is known of it: an update may leave out TCP's
  // state.
  Change Name(const Flow& flow, Flow& whole);
  // The master has `flow`, and it is none for this node's kernel.
  void Skip(const Flow& flow);
  // The master has it no more; false if it was not held.
  bool End(const FlowKey& key);

  // What is held under `key`; false if nothing.
  bool Find(const FlowKey& key, Flow& flow) const;

  // The snapshot is over: calls `gone` for each flow that was adopted but not named since, and
  // forgets it.
  void Sweep(const std::function<void(const Flow&)>& gone);
  void ForEach(const std::function<void(const Flow&)>& visit) const;

  size_t size() const { return flows_.size(); }
  // Bytes that the table takes, what few have included.
  size_t Memory() const { return TableBytes(flows_) + RareBytes(rare_) + TableBytes(skipped_); }
  // Of all flows that the master has named, and not ended: see DigestOf. As the master's own, if
  // nothing was lost or refused.
  uint64_t digest() const { return digest_; }

 private:
  // A flow without its key, and without what is not replicated.
  struct Held {
    Reply reply;
    uint32_t status = 0;
    uint32_t mark = 0;
    Tcp tcp;
    bool has_tcp = false;
    bool held = true;   // its timeout in the kernel is ours
    bool named = true;  // since the snapshot began
    bool rare = false;  // there is something in rare_
  };
  Flow Whole(const FlowKey& key, const Held& held) const;
  // Makes `held` what `flow` is.
  void Keep(const Flow& flow, Held& held);

  absl::flat_hash_map<FlowKey, Held> flows_;
  absl::flat_hash_map<FlowKey, RarePtr> rare_;      // of the few that have it
  absl::flat_hash_map<FlowKey, uint64_t> skipped_;  // their digests
  uint64_t digest_ = 0;
};

// Whether an entry that is `old` in the kernel can become `wanted` by an update.
bool CanBecome(const Flow& old, const Flow& wanted);

}  // namespace zcluster::conntrack
