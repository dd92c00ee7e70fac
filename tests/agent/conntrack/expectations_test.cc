// SPDX-License-Identifier: Apache-2.0
// Expectations follow their masters to the backup.
#include <set>

#include "tests/agent/conntrack/expecting.h"
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

std::set<uint16_t> Ports(const Netns& netns) {
  std::set<uint16_t> ports;
  for (const Expectation& at : Expectations(netns)) ports.insert(at.what.key.destination_port);
  return ports;
}

// Both have these, and say that they have the same.
void ExpectBoth(Pair& pair, const std::set<uint16_t>& ports) {
  EXPECT_TRUE(WaitUntil(Pair::kPatience,
                        [&] {
                          const core::ConntrackState a = pair.a.State(), b = pair.b.State();
                          return Ports(pair.a.netns()) == ports && Ports(pair.b.netns()) == ports &&
                                 a.digest == b.digest && !a.differs && !b.differs;
                        }))
      << testing::PrintToString(Ports(pair.a.netns()))
      << testing::PrintToString(Ports(pair.b.netns())) << pair.a.State().digest << " "
      << pair.b.State().digest;
}

TEST(Expectations, AreInTheSnapshotComeAndGo) {
  Pair pair;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Control(), Control(true)}), 0U);
  ASSERT_EQ(
      Change(pair.a.netns(), Verb::kExpect, {ActiveFtp(Control(), 1), ActiveFtp(Control(true), 2)}),
      0U);
  pair.Appoint(pair.a, 1);
  ExpectBoth(pair, {1, 2});
  for (const Expectation& at : Expectations(pair.b.netns()))
    EXPECT_TRUE(IsHeldExpectation(at.timeout)) << at.timeout;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Control(false, 7)}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kExpect, {ActiveFtp(Control(false, 7), 3)}), 0U);
  ExpectBoth(pair, {1, 2, 3});
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUnexpect, {ActiveFtp(Control(), 1)}), 0U);
  ExpectBoth(pair, {2, 3});
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, {Control(false, 7)}), 0U);
  ExpectBoth(pair, {2});
  EXPECT_EQ(pair.b.State().refused, 0U);
}

TEST(Expectations, ASnapshotSweepsWhatTheMasterDoesNotHaveAndLeavesTheNodesOwn) {
  Pair pair;
  pair.b.netns().Shell("ip link set lo up && ip addr add 10.7.0.2/24 dev lo");
  const Flow local = WithHelper(Plain(Key(IPPROTO_TCP, "10.7.0.2", 9, "10.7.0.9", 21)), "ftp");
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Control()}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kExpect, {ActiveFtp(Control(), 1)}), 0U);
  ASSERT_EQ(Change(pair.b.netns(), Verb::kCreate, {Control(), local}), 0U);
  ASSERT_EQ(Change(pair.b.netns(), Verb::kExpect,
                   {ActiveFtp(Control(), 1), ActiveFtp(Control(), 2), ActiveFtp(local, 3)}),
            0U);
  pair.Appoint(pair.a, 1);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return Ports(pair.b.netns()) == std::set<uint16_t>{1, 3};
  }));
  EXPECT_FALSE(pair.a.State().differs);
}

TEST(Expectations, OfAFlowThatIsMadeAnewAreMadeAnew) {
  Pair pair;
  Flow control = Control();
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {control}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kExpect, {ActiveFtp(control, 1)}), 0U);
  pair.Appoint(pair.a, 1);
  ExpectBoth(pair, {1});
  ASSERT_EQ(Change(pair.b.netns(), Verb::kDelete, {control}), 0U);
  EXPECT_TRUE(Ports(pair.b.netns()).empty());
  control.mark = 5;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {control}), 0U);
  ExpectBoth(pair, {1});
}

TEST(Expectations, GetTheirOwnTimeoutAtThePromotion) {
  Options options;
  options.hold = absl::Milliseconds(50);
  Pair pair(options);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Control()}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kExpect, {ActiveFtp(Control(), 1)}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kExpectTimeout, {ActiveFtp(Control(), 1)}, 1000), 0U);
  pair.Appoint(pair.a, 1);
  ExpectBoth(pair, {1});
  pair.b.Assume(Role::kMaster, 2);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    const std::vector<Expectation> found = Expectations(pair.b.netns());
    return found.size() == 1 && found[0].timeout <= 1000;
  }));
  EXPECT_NEAR(Expectations(pair.b.netns())[0].timeout, 1000, 60);
}

TEST(Expectations, SurviveRolesThatSwapAndSwapBack) {
  Pair pair;
  // FTP's helper allows each connection one.
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Control(), Control(false, 7)}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kExpect, {ActiveFtp(Control(), 1)}), 0U);
  pair.Appoint(pair.a, 1);
  ExpectBoth(pair, {1});
  pair.Appoint(pair.b, 2);
  ASSERT_EQ(Change(pair.b.netns(), Verb::kExpect, {ActiveFtp(Control(false, 7), 2)}), 0U);
  ExpectBoth(pair, {1, 2});
  pair.Appoint(pair.a, 3);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUnexpect, {ActiveFtp(Control(), 1)}), 0U);
  ExpectBoth(pair, {2});
}

}  // namespace
}  // namespace zcluster::conntrack
