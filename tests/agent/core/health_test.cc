// SPDX-License-Identifier: Apache-2.0
#include "agent/core/health.h"

#include <gmock/gmock.h>

#include <functional>

#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using testing::ElementsAre;

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1);

HealthCheck Passes(const std::string& name) { return {name, true, "well"}; }
HealthCheck Fails(const std::string& name, absl::Duration settles = absl::ZeroDuration()) {
  return {name, false, "no carrier", settles};
}

// This node is master, its front is dead, and the peer that stands by is well.
State IllMaster() {
  State state;
  state.config = TestConfig();
  state.role = Role::kMaster;
  state.vrrp = VrrpState::kMaster;
  state.checks = {Fails("interface front", Seconds(2)), Passes("interface back")};
  state.moves.worse_since = kNow - Seconds(2);
  state.peer.connected = true;
  state.peer.told = PeerAs(Role::kBackup, 1, 2);
  state.peer.told->checks = {Passes("interface front"), Passes("interface back")};
  return state;
}

struct Case {
  const char* name;
  std::function<void(State&)> change;
  Better better;
};

class AMaster : public testing::TestWithParam<Case> {};

TEST_P(AMaster, GivesWayOnlyToWhoServesBetter) {
  State state = IllMaster();
  GetParam().change(state);
  EXPECT_EQ(JudgeHealth(state, kNow), GetParam().better);
}

INSTANTIATE_TEST_SUITE_P(
    Health, AMaster,
    testing::Values(
        Case{"OfWhichMoreFails", [](State&) {}, Better::kGiveWay},
        Case{"AlsoToOneOfWhichSomethingElseFails",
             [](State& s) {
               s.checks[1] = Fails("interface back");
               s.peer.told->checks[1] = Fails("interface back");
             },
             Better::kGiveWay},
        Case{"NotIfAsMuchFailsThere",
             [](State& s) { s.peer.told->checks[1] = Fails("interface back"); }, Better::kStay},
        Case{"NotIfAllIsWell", [](State& s) { s.checks[0] = Passes("interface front"); },
             Better::kStay},
        Case{"NotWhileThePeerMaySeeTheSameSoon",
             [](State& s) { s.moves.worse_since = kNow - Milliseconds(1999); }, Better::kWait},
        Case{"NotInThePauseAfterOneThatFailed",
             [](State& s) { s.moves.none_before = kNow + Seconds(1); }, Better::kWait},
        Case{"NotWhileFrozen", [](State& s) { s.durable.freeze.active = true; }, Better::kFrozen},
        Case{"NotTooOften",
             [](State& s) { s.moves.made.assign(kMostMoves, kNow - kFlapWindow + Seconds(1)); },
             Better::kHeld},
        Case{"AgainWhenThatIsLongAgo",
             [](State& s) { s.moves.made.assign(kMostMoves, kNow - kFlapWindow); },
             Better::kGiveWay},
        Case{"NotOnceItIsBackupItself", [](State& s) { s.role = Role::kBackup; }, Better::kStay},
        Case{"NotToAPeerThatIsNotSeen", [](State& s) { s.peer.connected = false; }, Better::kStay},
        Case{"NotToAPeerInFault", [](State& s) { s.peer.told->role = Role::kFault; },
             Better::kStay},
        Case{"NotToAPeerInMaintenance", [](State& s) { s.peer.told->role = Role::kMaintenance; },
             Better::kStay},
        Case{"NotDuringAnOperation", [](State& s) { s.operation = Operation{}; }, Better::kStay}),
    [](const auto& tested) { return tested.param.name; });

std::vector<std::string> Lines(const State& state) {
  std::vector<std::string> lines;
  for (const Precondition& each : HealthPreconditions(state)) {
    lines.push_back(each.evidence + (!each.met ? " NOT MET" : each.warning ? " WARNING" : ""));
  }
  return lines;
}

TEST(Health, OfTheStandbyIsAPrecondition) {
  State state = IllMaster();
  EXPECT_THAT(Lines(state), ElementsAre("interface front on node1: no carrier WARNING",
                                        "1 check passes on node1", "2 checks pass on node2"));
  std::swap(state.checks, state.peer.told->checks);
  EXPECT_THAT(Lines(state),
              ElementsAre("2 checks pass on node1", "interface front on node2: no carrier NOT MET",
                          "1 check passes on node2"));
  state.checks = state.peer.told->checks;
  EXPECT_THAT(
      Lines(state),
      ElementsAre("interface front on node1: no carrier WARNING", "1 check passes on node1",
                  "interface front on node2: no carrier WARNING", "1 check passes on node2"));
  state.peer.connected = false;
  EXPECT_THAT(Lines(state), ElementsAre("interface front on node1: no carrier WARNING",
                                        "1 check passes on node1"));
}

TEST(Health, OfTwoFreezesTheNewerHoldsAndTheActiveOneOfEquals) {
  EXPECT_TRUE(Prevails({2, false, ""}, {1, true, "x"}));
  EXPECT_FALSE(Prevails({1, true, "x"}, {2, false, ""}));
  EXPECT_TRUE(Prevails({1, true, "x"}, {1, false, ""}));
  EXPECT_FALSE(Prevails({1, false, ""}, {1, true, "x"}));
  EXPECT_FALSE(Prevails({1, true, "x"}, {1, true, "y"}));
}

}  // namespace
}  // namespace zcluster::core
