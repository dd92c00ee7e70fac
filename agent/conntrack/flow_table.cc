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

}  // namespace

bool CanBecome(const Flow& old, const Flow& wanted) {
  constexpr uint32_t kNat = IPS_SRC_NAT | IPS_DST_NAT | IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;
  constexpr uint32_t kOnlySet = IPS_SEEN_REPLY | IPS_ASSURED;  // the kernel refuses to clear them
  if (old.reply != wanted.reply || ((old.status ^ wanted.status) & kNat) != 0) return false;
  return (old.status & ~wanted.status & kOnlySet) == 0;
}

Flow FlowTable::Whole(const FlowKey& key, const Held& held) {
  Flow flow;
  flow.key = key;
  flow.reply = held.reply;
  flow.status = held.status;
  flow.mark = held.mark;
  flow.tcp = held.tcp;
  flow.has_tcp = held.has_tcp;
  return flow;
}

void FlowTable::Adopt(const Flow& flow, bool held) {
  flows_[flow.key] = {flow.reply,   flow.status, flow.mark, WithoutLiberal(flow.tcp),
                      flow.has_tcp, held,        false};
}

FlowTable::Change FlowTable::Name(const Flow& flow, Flow& whole) {
  whole = flow;
  whole.tcp = WithoutLiberal(flow.tcp);
  auto [at, fresh] = flows_.try_emplace(flow.key);
  Held& known = at->second;
  if (!fresh && known.named) digest_ -= DigestOf(Whole(flow.key, known));
  Change change = Change::kCreate;
  if (!fresh) {
    if (!flow.has_tcp) {
      whole.tcp = known.tcp;
      whole.has_tcp = known.has_tcp;
    }
    const bool same = known.held && known.status == whole.status && known.mark == whole.mark &&
                      known.tcp == whole.tcp && known.has_tcp == whole.has_tcp;
    const bool possible = CanBecome(Whole(flow.key, known), whole);
    change = !possible ? Change::kReplace : same ? Change::kNone : Change::kUpdate;
  }
  known = {whole.reply, whole.status, whole.mark, whole.tcp, whole.has_tcp, true, true};
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
  if (at->second.named) digest_ -= DigestOf(Whole(key, at->second));
  flows_.erase(at);
  return true;
}

bool FlowTable::Find(const FlowKey& key, Flow& flow) const {
  const auto at = flows_.find(key);
  if (at == flows_.end()) return false;
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
    flows_.erase(at++);
  }
}

void FlowTable::ForEach(const std::function<void(const Flow&)>& visit) const {
  for (const auto& [key, held] : flows_) visit(Whole(key, held));
}

}  // namespace zcluster::conntrack
