// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/verification.h"

#include <utility>

#include "absl/time/clock.h"
#include "agent/conntrack/batch.h"
#include "agent/conntrack/comparison.h"
#include "agent/conntrack/own_table.h"
#include "agent/conntrack/peer_table.h"
#include "common/loop.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

v1::VerifiedFlows Told(const Compared& compared) {
  v1::VerifiedFlows message;
  Write(compared.master, *message.mutable_master()->mutable_counts());
  Write(compared.standby, *message.mutable_standby()->mutable_counts());
  message.set_buckets(compared.buckets);
  message.set_in_motion(compared.in_motion);
  message.set_differing(compared.differing);
  message.set_unexamined(compared.unexamined);
  for (const Compared::Difference& difference : compared.differences) {
    v1::FlowDifference& told = *message.add_differences();
    if (difference.master) Write(*difference.master, *told.mutable_master());
    if (difference.standby) Write(*difference.standby, *told.mutable_standby());
  }
  return message;
}

void Write(absl::Duration duration, google::protobuf::Duration& message) {
  const timespec parts = absl::ToTimespec(duration);
  message.set_seconds(parts.tv_sec);
  message.set_nanos(static_cast<int32_t>(parts.tv_nsec));
}

}  // namespace

absl::StatusOr<v1::VerifiedFlows> Verify(const Verification& verification, Halt& halt) {
  const absl::Time begun = Loop::Now();
  const Standing& own = verification.own;
  PeerTable peers(verification.peer, halt);
  ZC_ASSIGN_OR_RETURN(const PeerTable::Peer peer, peers.Begin());
  if (peer.is_master == own.is_master) {
    return absl::FailedPreconditionError(
        own.is_master ? "both nodes are master; there are no two tables that should be equal"
                      : "neither node is master; there are no two tables that should be equal");
  }
  const Scope scope(own.filter, own.is_master ? own.addresses : peer.addresses,
                    own.is_master ? peer.addresses : own.addresses);
  peers.SetScope(scope);
  OwnTable ours(scope, halt);
  Table& master = own.is_master ? static_cast<Table&>(ours) : peers;
  Table& standby = own.is_master ? static_cast<Table&>(peers) : ours;
  Comparison comparison(master, standby,
                        {verification.shown,
                         own.is_master ? verification.settle : [&peers] { return peers.Settle(); },
                         verification.progress});
  ZC_ASSIGN_OR_RETURN(const Compared compared, comparison.Run());
  v1::VerifiedFlows message = Told(compared);
  message.mutable_master()->set_node(own.is_master ? own.name : peer.name);
  message.mutable_standby()->set_node(own.is_master ? peer.name : own.name);
  Write(Loop::Now() - begun, *message.mutable_took());
  return message;
}

}  // namespace zcluster::conntrack
