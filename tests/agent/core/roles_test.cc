// SPDX-License-Identifier: Apache-2.0
#include "agent/core/roles.h"

#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

struct RoleCase {
  const char* name;
  std::optional<VrrpState> vrrp;
  bool maintenance;
  Role role;
};

class TakesTheRole : public testing::TestWithParam<RoleCase> {};

TEST_P(TakesTheRole, ThatVrrpAndMaintenanceMake) {
  State state;
  state.vrrp = GetParam().vrrp;
  state.durable.maintenance = GetParam().maintenance;
  EXPECT_EQ(RoleOf(state), GetParam().role);
}

INSTANTIATE_TEST_SUITE_P(
    Roles, TakesTheRole,
    testing::Values(
        RoleCase{"UnknownBeforeKeepalivedWasHeard", std::nullopt, false, Role::kUnknown},
        RoleCase{"Master", VrrpState::kMaster, false, Role::kMaster},
        RoleCase{"Backup", VrrpState::kBackup, false, Role::kBackup},
        RoleCase{"Fault", VrrpState::kFault, false, Role::kFault},
        RoleCase{"FaultWhenKeepalivedIsDown", VrrpState::kDown, false, Role::kFault},
        RoleCase{"MaintenanceInFault", VrrpState::kFault, true, Role::kMaintenance},
        RoleCase{"MaintenanceWhenDown", VrrpState::kDown, true, Role::kMaintenance},
        RoleCase{"MaintenanceBeforeFaultIsHeard", VrrpState::kBackup, true, Role::kMaintenance},
        RoleCase{"MasterWhileItHandsOver", VrrpState::kMaster, true, Role::kMaster}),
    [](const auto& tested) { return tested.param.name; });

State MasterIn(uint64_t term) {
  State state;
  state.config = TestConfig();
  state.vrrp = VrrpState::kMaster;
  state.role = Role::kMaster;
  state.acknowledged = true;
  state.durable.own_term = state.durable.highest_term = Term{term};
  state.peer.connected = true;
  return state;
}

struct ConflictCase {
  const char* name;
  uint64_t own_term;
  uint64_t peer_term;
  uint8_t peer_priority;
  const char* peer_address;
  bool loses;
};

class TwoMasters : public testing::TestWithParam<ConflictCase> {};

TEST_P(TwoMasters, SettleIt) {
  const ConflictCase& c = GetParam();
  State state = MasterIn(c.own_term);
  state.config.peer_address = c.peer_address;
  state.peer.told = PeerAs(Role::kMaster, c.peer_term, c.peer_term);
  state.peer.told->priority = c.peer_priority;
  EXPECT_EQ(LosesToPeer(state), c.loses);
}

// This node is 192.0.2.9 with priority 253.
INSTANTIATE_TEST_SUITE_P(
    Roles, TwoMasters,
    testing::Values(ConflictCase{"TheLowerTermYields", 8, 9, 252, "192.0.2.1", true},
                    ConflictCase{"TheHigherTermStays", 9, 8, 254, "192.0.2.10", false},
                    ConflictCase{"ThenTheLowerPriorityYields", 8, 8, 254, "192.0.2.1", true},
                    ConflictCase{"ThenTheHigherPriorityStays", 8, 8, 252, "192.0.2.10", false},
                    ConflictCase{"ThenTheLowerAddressYields", 8, 8, 253, "192.0.2.10", true},
                    ConflictCase{"ThenTheHigherAddressStays", 8, 8, 253, "192.0.2.8", false},
                    ConflictCase{"AddressesAreComparedAsNumbers", 8, 8, 253, "192.0.10.1", true}),
    [](const auto& tested) { return tested.param.name; });

TEST(Roles, NeverYieldToAPeerThatIsNotSeen) {
  State state = MasterIn(8);
  state.peer.told = PeerAs(Role::kMaster, 9, 9);
  state.peer.connected = false;
  EXPECT_FALSE(LosesToPeer(state));
}

TEST(Roles, TakeANewTermWhenAPeerThatStandsByKnowsALaterOne) {
  State state = MasterIn(8);
  state.peer.told = PeerAs(Role::kBackup, 7, 9);
  EXPECT_TRUE(NeedsNewTerm(state));
  state.peer.told = PeerAs(Role::kBackup, 8, 8);  // two masters have shared a term
  EXPECT_TRUE(NeedsNewTerm(state));
  state.peer.told = PeerAs(Role::kBackup, 7, 8);
  EXPECT_FALSE(NeedsNewTerm(state));
  state.peer.told = PeerAs(Role::kMaster, 9, 9);  // then one must yield
  EXPECT_FALSE(NeedsNewTerm(state));
  state.peer.told = PeerAs(Role::kUnknown, 7, 9);  // it may be master still
  EXPECT_FALSE(NeedsNewTerm(state));
}

TEST(Roles, TakeTheTermAboveAllThatWasEverHeard) {
  State state = MasterIn(8);
  state.durable.highest_term = Term{11};
  EXPECT_EQ(NextTerm(state), Term{12});
}

struct StandingCase {
  const char* name;
  Role role;
  bool acknowledged;
  uint64_t own_term;
  uint64_t highest_term;
  Standing standing;
};

class TellsVrrp : public testing::TestWithParam<StandingCase> {};

TEST_P(TellsVrrp, WhoWasPromotedLast) {
  const StandingCase& c = GetParam();
  State state;
  state.role = c.role;
  state.acknowledged = c.acknowledged;
  state.durable.own_term = Term{c.own_term};
  state.durable.highest_term = Term{c.highest_term};
  EXPECT_EQ(StandingOf(state), c.standing);
}

INSTANTIATE_TEST_SUITE_P(
    Roles, TellsVrrp,
    testing::Values(
        StandingCase{"Standby", Role::kBackup, false, 8, 8, Standing::kStandby},
        StandingCase{"StandbyInFault", Role::kFault, false, 8, 8, Standing::kStandby},
        StandingCase{"StandbyInMaintenance", Role::kMaintenance, false, 8, 8, Standing::kStandby},
        StandingCase{"Master", Role::kMaster, true, 8, 8, Standing::kMaster},
        StandingCase{"PromotedAlone", Role::kMaster, false, 8, 8, Standing::kPromotedAlone},
        StandingCase{"AStartingAgentThatMayBeMasterYet", Role::kUnknown, false, 8, 8,
                     Standing::kMaster},
        StandingCase{"AStartingAgentThatWasSucceeded", Role::kUnknown, false, 8, 9,
                     Standing::kStandby},
        StandingCase{"AnAgentThatStartsForTheFirstTime", Role::kUnknown, false, 0, 0,
                     Standing::kStandby}),
    [](const auto& tested) { return tested.param.name; });

TEST(Roles, AreAcknowledgedOnlyInOurTerm) {
  State state = MasterIn(8);
  state.peer.told = PeerAs(Role::kBackup, 7, 7);
  EXPECT_FALSE(PeerStandsBy(state));
  state.peer.told = PeerAs(Role::kBackup, 7, 8);
  EXPECT_TRUE(PeerStandsBy(state));
  state.peer.told = PeerAs(Role::kMaintenance, 7, 8);
  EXPECT_TRUE(PeerStandsBy(state));
  state.peer.told = PeerAs(Role::kFault, 7, 8);
  EXPECT_FALSE(PeerStandsBy(state));
}

TEST(Roles, HoldTheFaultLongerEachTimeThatItComesBack) {
  const absl::Time now = absl::UnixEpoch() + absl::Hours(1);
  State state = MasterIn(8);
  state.peer.since = now - absl::Minutes(10);
  EXPECT_EQ(HoldFor(state, now), absl::ZeroDuration());  // the first time
  state.yielding.since = now - absl::Seconds(50);
  state.yielding.ended = now - absl::Seconds(40);
  EXPECT_EQ(HoldFor(state, now), kShortestHold);
  state.yielding.hold = kShortestHold;
  EXPECT_EQ(HoldFor(state, now), 2 * kShortestHold);
  state.yielding.hold = kLongestHold;
  EXPECT_EQ(HoldFor(state, now), kLongestHold);
  state.yielding.ended = now - kYieldAgainWithin - absl::Seconds(1);
  EXPECT_EQ(HoldFor(state, now), absl::ZeroDuration());  // long ago
  state.yielding.ended = now - absl::Seconds(40);
  state.peer.since = now - absl::Seconds(1);
  EXPECT_EQ(HoldFor(state, now), absl::ZeroDuration());  // another split
}

TEST(Roles, StopYieldingWhenTheReasonIsGone) {
  const absl::Time now = absl::UnixEpoch() + absl::Hours(1);
  State state = MasterIn(8);
  state.peer.told = PeerAs(Role::kMaster, 9, 9);
  state.yielding = {true, now, absl::InfinitePast(), absl::ZeroDuration()};
  EXPECT_FALSE(MayStopYielding(state, now));  // VRRP has not let go
  state.vrrp = VrrpState::kFault;
  EXPECT_TRUE(MayStopYielding(state, now));
  state.yielding.hold = absl::Seconds(10);
  EXPECT_FALSE(MayStopYielding(state, now));
  EXPECT_TRUE(MayStopYielding(state, now + absl::Seconds(10)));
  state.peer.told->role = Role::kFault;
  EXPECT_TRUE(MayStopYielding(state, now));
  state.peer.told->role = Role::kMaster;
  state.peer.connected = false;
  EXPECT_TRUE(MayStopYielding(state, now));
}

TEST(Roles, KeepTheFaultOfMaintenanceUntilItsEndIsOnDisk) {
  State state;
  state.durable.maintenance = true;
  EXPECT_EQ(FaultReason(state), "maintenance");
  state.on_disk.maintenance = true;
  state.durable.maintenance = false;
  EXPECT_EQ(FaultReason(state), "maintenance");
  state.on_disk.maintenance = false;
  EXPECT_EQ(FaultReason(state), "");
}

TEST(Roles, StandAsideWheneverThereIsAReason) {
  State state;
  const auto agree = [&state](bool aside) {
    return MustStandAside(state) == aside && FaultReason(state).empty() == !aside;
  };
  EXPECT_TRUE(agree(false));
  for (bool* reason : {&state.durable.maintenance, &state.on_disk.maintenance,
                       &state.yielding.active, &state.boot_gate.closed}) {
    *reason = true;
    EXPECT_TRUE(agree(true)) << FaultReason(state);
    *reason = false;
  }
  state.operation.emplace().phase = Phase::kFlushing;
  EXPECT_TRUE(agree(false));
  state.operation->phase = Phase::kHandingOver;
  EXPECT_TRUE(agree(true));
}

}  // namespace
}  // namespace zcluster::core
