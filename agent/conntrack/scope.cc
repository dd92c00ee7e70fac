// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/scope.h"

#include "common/status.h"
#include "zcluster/v1/comparison.pb.h"

namespace zcluster::conntrack {

void Counts::Add(FlowClass what) {
  switch (what) {
    case FlowClass::kForwarded:
      ++forwarded;
      break;
    case FlowClass::kTranslated:
      ++translated;
      break;
    case FlowClass::kEndsOnMaster:
      ++ends_on_master;
      break;
    case FlowClass::kEndsOnStandby:
      ++ends_on_standby;
      break;
    case FlowClass::kOwn:
      ++own;
      break;
    case FlowClass::kFiltered:
      ++filtered;
      break;
  }
}

void Write(const Counts& counts, v1::ClassCounts& message) {
  message.set_forwarded(counts.forwarded);
  message.set_translated(counts.translated);
  message.set_ends_on_master(counts.ends_on_master);
  message.set_ends_on_standby(counts.ends_on_standby);
  message.set_own(counts.own);
  message.set_filtered(counts.filtered);
}

Counts Read(const v1::ClassCounts& message) {
  return {message.forwarded(),       message.translated(), message.ends_on_master(),
          message.ends_on_standby(), message.own(),        message.filtered()};
}

FlowClass Scope::ClassOf(const Flow& flow) const {
  if (!filter_.Replicates(flow.key)) return FlowClass::kOwn;
  if (!filter_.rules().Take(flow)) return FlowClass::kFiltered;
  if (standby_.EndsHere(flow)) return FlowClass::kEndsOnStandby;
  if (master_.EndsHere(flow)) return FlowClass::kEndsOnMaster;
  const Nat nat = NatOf(flow);
  return nat.source || nat.destination ? FlowClass::kTranslated : FlowClass::kForwarded;
}

void Scope::Write(v1::ComparisonScope& message) const {
  conntrack::Write(master_, *message.mutable_master_addresses());
  conntrack::Write(standby_, *message.mutable_standby_addresses());
}

absl::StatusOr<Scope> Scope::Read(const v1::ComparisonScope& message, Filter filter) {
  ZC_ASSIGN_OR_RETURN(LocalAddresses master, ReadAddresses(message.master_addresses()));
  ZC_ASSIGN_OR_RETURN(LocalAddresses standby, ReadAddresses(message.standby_addresses()));
  return Scope(std::move(filter), std::move(master), std::move(standby));
}

}  // namespace zcluster::conntrack
