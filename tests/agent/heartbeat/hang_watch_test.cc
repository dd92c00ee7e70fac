// SPDX-License-Identifier: Apache-2.0
// When a keepalived counts as hung, by what is seen of it; with the real one in hang_test.cc.
#include "agent/heartbeat/hang_watch.h"

#include <gmock/gmock.h>

#include <set>

namespace zcluster::heartbeat {
namespace {

using Verdict = HangWatch::Verdict;

constexpr absl::Duration kInterval = absl::Milliseconds(100);

class HangWatchTest : public testing::Test {
 protected:
  // Looks for `span`, every kLookEvery, at one that does nothing; the first verdict that is not
  // kWorks, or that.
  Verdict LookFor(absl::Duration span, absl::Duration interval = kInterval) {
    Verdict worst = Verdict::kWorks;
    for (const absl::Time end = now_ + span; now_ < end && worst == Verdict::kWorks;) {
      now_ += HangWatch::kLookEvery;
      worst = watch_.Look(sight_, interval, now_);
    }
    return worst;
  }
  Verdict LookOnce(absl::Duration later = HangWatch::kLookEvery) {
    now_ += later;
    return watch_.Look(sight_, kInterval, now_);
  }

  HangWatch watch_;
  HangWatch::Sight sight_{.pid = 17, .activity = {.state = 'S', .waits = 5}};
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
};

TEST_F(HangWatchTest, LeavesAloneWhoeverGoesBackToWaiting) {
  sight_.master = true;
  sight_.peer_advertises = true;
  for (int i = 0; i < 100; ++i) {
    ++sight_.activity.waits;
    ASSERT_EQ(LookFor(absl::Milliseconds(500)), Verdict::kWorks);
  }
}

TEST_F(HangWatchTest, FindsAMasterThatMissesThreeAdverts) {
  sight_.master = true;
  LookOnce();
  EXPECT_EQ(LookFor(absl::Milliseconds(500)), Verdict::kWorks);
  EXPECT_EQ(LookOnce(), Verdict::kHangs);
  EXPECT_EQ(watch_.still(), absl::Milliseconds(600));
  // Whatever the interval, the lease's script wakes it.
  watch_.Reset();
  LookOnce();
  EXPECT_EQ(LookFor(absl::Milliseconds(2900), absl::Seconds(40)), Verdict::kWorks);
  EXPECT_EQ(LookOnce(), Verdict::kHangs);
}

TEST_F(HangWatchTest, NeverEndsAMasterThatNobodyFollows) {
  sight_.master = true;
  LookOnce();
  EXPECT_EQ(LookFor(absl::Seconds(1)), Verdict::kHangs);
  for (int i = 0; i < 36000; ++i) ASSERT_EQ(LookOnce(), Verdict::kHangs);
  sight_.peer_advertises = true;
  EXPECT_EQ(LookOnce(), Verdict::kMustGo);
}

// It asked, was told that this node serves, and gave way: nobody else would.
TEST_F(HangWatchTest, LeavesAMasterWhosePeerTookOverButNoLongerServes) {
  sight_.master = true;
  LookOnce();
  sight_.peer_advertises = true;
  LookOnce();
  sight_.peer_advertises = false;
  EXPECT_EQ(LookFor(absl::Seconds(1)), Verdict::kHangs);
  sight_.peer_advertises = true;
  EXPECT_EQ(LookOnce(), Verdict::kMustGo);
}

TEST_F(HangWatchTest, EndsAMasterThatIsToldToLetGo) {
  sight_.master = sight_.aside = true;
  LookOnce();
  EXPECT_EQ(LookFor(absl::Seconds(1)), Verdict::kMustGo);
}

TEST_F(HangWatchTest, SaysThatAStandbyHangsBeforeItEndsIt) {
  sight_.peer_advertises = true;
  LookOnce();
  EXPECT_EQ(LookFor(absl::Milliseconds(600)), Verdict::kHangs);
  while (watch_.still() < absl::Milliseconds(2900)) ASSERT_EQ(LookOnce(), Verdict::kHangs);
  EXPECT_EQ(LookOnce(), Verdict::kMustGo);
}

TEST_F(HangWatchTest, WaitsForTheLeasesScriptWhereNoAdvertsAreDue) {
  LookOnce();
  EXPECT_EQ(LookFor(absl::Milliseconds(2900)), Verdict::kWorks);
  EXPECT_EQ(LookOnce(), Verdict::kMustGo);
}

TEST_F(HangWatchTest, LetsOneThatWasStoppedBeWokenFirst) {
  sight_.master = sight_.peer_advertises = true;
  sight_.activity.state = 'T';
  LookOnce();
  EXPECT_EQ(LookFor(absl::Milliseconds(2900)), Verdict::kWorks);
  EXPECT_EQ(LookOnce(), Verdict::kMustGo);
}

// Of a machine that stood still both clocks are the same: keepalived could not work either.
TEST_F(HangWatchTest, DoesNotCountWhatItDidNotLookAtInTime) {
  sight_.master = sight_.peer_advertises = true;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(LookOnce(absl::Seconds(10)), Verdict::kWorks);
    ASSERT_EQ(LookOnce(), Verdict::kWorks);
  }
}

TEST_F(HangWatchTest, BeginsAnewWithAnotherProcess) {
  sight_.master = sight_.peer_advertises = true;
  LookOnce();
  EXPECT_EQ(LookFor(absl::Milliseconds(500)), Verdict::kWorks);
  sight_.pid = 18;
  EXPECT_EQ(LookFor(absl::Milliseconds(600)), Verdict::kWorks);
}

TEST_F(HangWatchTest, EndsStandbysTheMoreSeldomTheOftenerTheyHang) {
  int ended = 0;
  for (const absl::Time end = now_ + absl::Minutes(30); now_ < end;) {
    if (LookOnce() != Verdict::kMustGo) continue;
    ++ended;
    ++sight_.pid;
  }
  EXPECT_GE(ended, 5);
  EXPECT_LE(ended, 20);
  // But a master that keeps what its peer has goes at once.
  sight_.master = sight_.peer_advertises = true;
  ++sight_.pid;
  LookOnce();
  EXPECT_EQ(LookFor(absl::Seconds(1)), Verdict::kMustGo);
}

TEST_F(HangWatchTest, IsToldInOneSentence) {
  EXPECT_EQ(Describe(Verdict::kMustGo, sight_, absl::Milliseconds(712), "do_freezer_trap"),
            "process 17 hangs (state S, in do_freezer_trap), it has done nothing for 700ms; it is "
            "killed, and started anew");
  EXPECT_EQ(Describe(Verdict::kHangs, sight_, absl::Seconds(1), ""),
            "process 17 hangs (state S), it has done nothing for 1s; it will be killed if that "
            "lasts");
  sight_.master = true;
  EXPECT_THAT(Describe(Verdict::kHangs, sight_, absl::Seconds(1), ""),
              testing::HasSubstr("serves on, and lets go once its peer takes over"));
}

}  // namespace
}  // namespace zcluster::heartbeat
