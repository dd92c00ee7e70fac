// SPDX-License-Identifier: Apache-2.0
#include "agent/core/maintenance.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using testing::HasSubstr;

State Seen(Role own, std::optional<Role> peer) {
  State state;
  state.config = TestConfig();
  state.role = own;
  state.vrrp = own == Role::kMaster ? VrrpState::kMaster : VrrpState::kBackup;
  state.conntrack = Synchronised();
  state.peer.connected = peer.has_value();
  state.peer.problem = "no answer";
  if (peer) state.peer.told = PeerAs(*peer, 1, 1);
  return state;
}

std::string Words(const absl::Status& status) { return std::string(status.message()); }

TEST(Maintenance, LetsAMasterHandOverToAReadyPeer) {
  EXPECT_TRUE(MayHandOver(Seen(Role::kMaster, Role::kBackup), false).ok());
}

TEST(Maintenance, LetsNobodyButAMasterHandOver) {
  const absl::Status status = MayHandOver(Seen(Role::kBackup, Role::kMaster), true);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Words(status), "node1 is not master, but BACKUP");
}

TEST(Maintenance, RefusesToHandOverWithAllReasonsUnlessForced) {
  State state = Seen(Role::kMaster, Role::kFault);
  state.conntrack.synchronised = false;
  const absl::Status status = MayHandOver(state, false);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Words(status), HasSubstr("node2 is not ready: node1 is MASTER, node2 is FAULT"));
  EXPECT_THAT(Words(status), HasSubstr("the flows are not synchronised"));
  EXPECT_THAT(Words(status), HasSubstr("--force"));
  EXPECT_TRUE(MayHandOver(state, true).ok());
}

TEST(Maintenance, LetsABackupGoOutWhileTheMasterIsSeen) {
  EXPECT_TRUE(MayGoOut(Seen(Role::kBackup, Role::kMaster), false).ok());
}

TEST(Maintenance, NeverTakesOutTheLastNodeThatCanServeUnlessForced) {
  for (auto peer : {std::optional<Role>(), std::optional(Role::kBackup),
                    std::optional(Role::kFault), std::optional(Role::kMaintenance)}) {
    const State state = Seen(Role::kBackup, peer);
    const absl::Status status = MayGoOut(state, false);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(Words(status), HasSubstr("nobody else is known to serve: node2 is "));
    EXPECT_TRUE(MayGoOut(state, true).ok());
  }
}

TEST(Maintenance, EndsOnlySynchronisedWhereThereIsAMaster) {
  State state = Seen(Role::kMaintenance, Role::kMaster);
  EXPECT_FALSE(MustSynchroniseFirst(state));
  state.conntrack.synchronised = false;
  EXPECT_TRUE(MustSynchroniseFirst(state));
  state.peer.told->role = Role::kMaintenance;
  EXPECT_FALSE(MustSynchroniseFirst(state));
  state.peer.connected = false;
  EXPECT_FALSE(MustSynchroniseFirst(state));
}

}  // namespace
}  // namespace zcluster::core
