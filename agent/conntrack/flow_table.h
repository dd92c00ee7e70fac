// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/memory.h"

namespace zcluster::conntrack {

// What a backup holds in its kernel for its master, and so what a change means there; beside it,
// what its kernel would not have. It changes nothing itself. One thread.
class FlowTable {
 public:
  // So many flows at most are known to be missing; of more nothing is remembered, and a snapshot
  // must bring them.
  static constexpr size_t kMostMissing = 1 << 20;

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
    missing_.clear();
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

  // The kernel would not have it: it is not held, but missing until it is named again or ends.
  void Refuse(const FlowKey& key);
  // Of those that are missing.
  size_t missing() const { return missing_.size(); }
  std::vector<FlowKey> Missing() const { return {missing_.begin(), missing_.end()}; }
  // It is missing no more but held, as if it was named anew; false if it was not.
  bool Retry(const FlowKey& key, Flow& flow);
  void ForgetMissing();

  // What is held under `key`; false if nothing.
  bool Find(const FlowKey& key, Flow& flow) const;

  // The snapshot is over: calls `gone` for each flow that was adopted but not named since, and
  // forgets it.
  void Sweep(const std::function<void(const Flow&)>& gone);
  void ForEach(const std::function<void(const Flow&)>& visit) const;

  size_t size() const { return flows_.size() - missing_.size(); }
  // Bytes that the table takes, what few have and what is missing included.
  size_t Memory() const {
    return TableBytes(flows_) + RareBytes(rare_) + TableBytes(skipped_) + TableBytes(missing_);
  }
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
    bool held = true;      // its timeout in the kernel is ours
    bool named = true;     // since the snapshot began
    bool rare = false;     // there is something in rare_
    bool missing = false;  // it is in missing_, and not in the kernel
  };
  using Flows = absl::flat_hash_map<FlowKey, Held>;
  void Drop(Flows::iterator at);
  Flow Whole(const FlowKey& key, const Held& held) const;
  // Makes `held` what `flow` is.
  void Keep(const Flow& flow, Held& held);

  Flows flows_;
  absl::flat_hash_map<FlowKey, RarePtr> rare_;      // of the few that have it
  absl::flat_hash_map<FlowKey, uint64_t> skipped_;  // their digests
  absl::flat_hash_set<FlowKey> missing_;
  uint64_t digest_ = 0;
};

// Whether an entry that is `old` in the kernel can become `wanted` by an update.
bool CanBecome(const Flow& old, const Flow& wanted);

}  // namespace zcluster::conntrack
