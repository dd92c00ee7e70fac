// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/flow_table.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include "agent/conntrack/digest.h"

namespace zcluster::conntrack {
namespace {

// Every entry that is injected has the liberal flag, whatever the master's has.
Tcp WithoutLiberal(Tcp tcp) {
  constexpr uint8_t kOthers = 0xff & ~IP_CT_TCP_FLAG_BE_LIBERAL;
  tcp.original_flags &= kOthers;
  tcp.reply_flags &= kOthers;
  return tcp;
}

// What cannot be changed in a flow that exists.
bool LastingIsEqual(const RarePtr& a, const RarePtr& b) {
  static const Rare kNothing;
  const Rare& one = a ? *a : kNothing;
  const Rare& other = b ? *b : kNothing;
  return one.helper == other.helper && one.zone_direction == other.zone_direction &&
         one.reply_zone == other.reply_zone && one.master == other.master &&
         one.Has(Rare::kMaster) == other.Has(Rare::kMaster);
}

// Labels that the master does not name are left as they are.
bool ChangingIsEqual(const RarePtr& known, const RarePtr& wanted) {
  if (!known && !wanted) return true;
  const bool labels = wanted && wanted->Has(Rare::kLabels);
  return Equal(labels ? known : Without(known, Rare::kLabels), wanted);
}

}  // namespace

bool CanBecome(const Flow& old, const Flow& wanted) {
  constexpr uint32_t kNat = IPS_SRC_NAT | IPS_DST_NAT | IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;
  constexpr uint32_t kOnlySet = IPS_SEEN_REPLY | IPS_ASSURED;  // the kernel refuses to clear them
  if (old.reply != wanted.reply || ((old.status ^ wanted.status) & kNat) != 0) return false;
  if (!LastingIsEqual(old.rare, wanted.rare)) return false;
  // What was shifted once stays so in the kernel's entry: it is one of an earlier life.
  if (old.rare && old.rare->Has(Rare::kShift) && !(wanted.rare && wanted.rare->Has(Rare::kShift)))
    return false;
  return (old.status & ~wanted.status & kOnlySet) == 0;
}

Flow FlowTable::Whole(const FlowKey& key, const Held& held) const {
  Flow flow;
  flow.key = key;
  flow.reply = held.reply;
  flow.status = held.status;
  flow.mark = held.mark;
  flow.tcp = held.tcp;
  flow.has_tcp = held.has_tcp;
  if (held.rare) flow.rare = rare_.at(key);
  return flow;
}

void FlowTable::Keep(const Flow& flow, Held& held) {
  held.reply = flow.reply;
  held.status = flow.status;
  held.mark = flow.mark;
  held.tcp = flow.tcp;
  held.has_tcp = flow.has_tcp;
  if (flow.rare) {
    rare_[flow.key] = flow.rare;
  } else if (held.rare) {
    rare_.erase(flow.key);
  }
  held.rare = flow.rare != nullptr;
}

void FlowTable::Adopt(const Flow& flow, bool held) {
  Held& known = flows_[flow.key];
  Keep(flow, known);
  known.tcp = WithoutLiberal(flow.tcp);
  known.held = held;
  known.named = false;
}

FlowTable::Change FlowTable::Name(const Flow& flow, Flow& whole) {
  whole = flow;
  whole.tcp = WithoutLiberal(flow.tcp);
  auto [at, fresh] = flows_.try_emplace(flow.key);
  Held& known = at->second;
  Change change = Change::kCreate;
  if (!fresh && !flow.has_tcp) {
    whole.tcp = known.tcp;
    whole.has_tcp = known.has_tcp;
  }
  if (known.missing) {
    known.missing = false;
    missing_.erase(flow.key);
  } else if (!fresh) {
    const Flow before = Whole(flow.key, known);
    if (known.named) digest_ -= DigestOf(before);
    const bool same = known.held && known.status == whole.status && known.mark == whole.mark &&
                      known.tcp == whole.tcp && known.has_tcp == whole.has_tcp &&
                      ChangingIsEqual(before.rare, whole.rare);
    const bool possible = CanBecome(before, whole);
    change = !possible ? Change::kReplace : same ? Change::kNone : Change::kUpdate;
  }
  Keep(whole, known);
  known.held = known.named = true;
  digest_ += DigestOf(whole);
  return change;
}

void FlowTable::Skip(const Flow& flow) {
  uint64_t& known = skipped_[flow.key];
  digest_ -= known;
  known = DigestOf(flow);
  digest_ += known;
}

bool FlowTable::End(const FlowKey& key) {
  if (const auto skipped = skipped_.find(key); skipped != skipped_.end()) {
    digest_ -= skipped->second;
    skipped_.erase(skipped);
  }
  const auto at = flows_.find(key);
  if (at == flows_.end()) return false;
  const bool held = !at->second.missing;
  if (held && at->second.named) digest_ -= DigestOf(Whole(key, at->second));
  if (!held) missing_.erase(key);
  Drop(at);
  return held;
}

void FlowTable::Drop(Flows::iterator at) {
  if (at->second.rare) rare_.erase(at->first);
  flows_.erase(at);
}

void FlowTable::Refuse(const FlowKey& key) {
  const auto at = flows_.find(key);
  if (at == flows_.end() || at->second.missing) return;
  if (at->second.named) digest_ -= DigestOf(Whole(key, at->second));
  if (missing_.size() >= kMostMissing) return Drop(at);
  at->second.missing = true;
  missing_.insert(key);
}

bool FlowTable::Retry(const FlowKey& key, Flow& flow) {
  if (missing_.erase(key) == 0) return false;
  Held& known = flows_.at(key);
  known.missing = false;
  flow = Whole(key, known);
  digest_ += DigestOf(flow);
  return true;
}

void FlowTable::ForgetMissing() {
  for (const FlowKey& key : missing_) Drop(flows_.find(key));
  missing_.clear();
}

bool FlowTable::Find(const FlowKey& key, Flow& flow) const {
  const auto at = flows_.find(key);
  if (at == flows_.end() || at->second.missing) return false;
  flow = Whole(key, at->second);
  return true;
}

void FlowTable::Sweep(const std::function<void(const Flow&)>& gone) {
  for (auto at = flows_.begin(); at != flows_.end();) {
    if (at->second.named) {
      ++at;
      continue;
    }
    gone(Whole(at->first, at->second));
    Drop(at++);
  }
}

void FlowTable::ForEach(const std::function<void(const Flow&)>& visit) const {
  for (const auto& [key, held] : flows_) {
    if (!held.missing) visit(Whole(key, held));
  }
}

}  // namespace zcluster::conntrack
