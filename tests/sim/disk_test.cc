// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/disk.h"

#include <vector>

#include "gtest/gtest.h"

namespace zcluster::sim {
namespace {

core::Durable In(uint64_t term) { return {core::Term{term}, core::Term{term}, false}; }

void RunAll(Clock& clock) {
  while (clock.RunNext()) {
  }
}

TEST(Disk, EndsWritesInOrder) {
  Clock clock;
  Random random(1);
  Disk disk(clock, random);
  std::vector<int> done;
  for (int i = 1; i <= 5; ++i) {
    disk.Write(In(static_cast<uint64_t>(i)), [&done, i] { done.push_back(i); });
  }
  EXPECT_TRUE(disk.busy());
  RunAll(clock);
  EXPECT_EQ(done, (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(disk.content(), In(5));
  EXPECT_FALSE(disk.busy());
}

TEST(Disk, LosesWhatWasBeingWrittenWhenThePowerFails) {
  Clock clock;
  Random random(1);
  Disk disk(clock, random);
  bool told = false;
  disk.Write(In(1), [] {});
  RunAll(clock);
  disk.Write(In(2), [&told] { told = true; });
  disk.PowerCut();
  RunAll(clock);
  EXPECT_EQ(disk.content(), In(1));
  EXPECT_FALSE(told);
}

TEST(Disk, KeepsOrLosesItWhenTheAgentDiesButNeverTellsIt) {
  bool kept = false;
  bool lost = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Clock clock;
    Random random(seed);
    Disk disk(clock, random);
    disk.Write(In(2), [] { FAIL(); });
    disk.Crash();
    RunAll(clock);
    (disk.content() == In(2) ? kept : lost) = true;
  }
  EXPECT_TRUE(kept);
  EXPECT_TRUE(lost);
}

TEST(Disk, EndsNoWriteDuringAStall) {
  Clock clock;
  Random random(1);
  Disk disk(clock, random);
  const absl::Time begin = clock.now();
  absl::Time ended;
  disk.Write(In(1), [&] { ended = clock.now(); });
  disk.Stall(absl::Seconds(3));
  RunAll(clock);
  EXPECT_GE(ended - begin, absl::Seconds(3));
}

}  // namespace
}  // namespace zcluster::sim
