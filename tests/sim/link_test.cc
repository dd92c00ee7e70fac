// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/link.h"

#include <array>
#include <vector>

#include "gtest/gtest.h"

namespace zcluster::sim {
namespace {

class TwoEnds : public testing::Test {
 protected:
  TwoEnds() : link_(clock_, random_, network_, {Side(0), Side(1)}) {}

  Link::Side Side(size_t node) {
    return {[this, node](const core::Event& event) { heard_[node].push_back(event); },
            [this, node] { return alive_[node]; }, clock_};
  }

  void Pass(absl::Duration length) {
    bool over = false;
    clock_.After(length, [&over] { over = true; });
    while (!over) clock_.RunNext();
  }

  template <typename T>
  int Count(size_t node) const {
    int count = 0;
    for (const core::Event& event : heard_[node]) count += std::holds_alternative<T>(event) ? 1 : 0;
    return count;
  }

  // Both tell each other how they are, as a link that lives does.
  void Beat(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      link_.Send(0, core::NodeState{});
      link_.Send(1, core::NodeState{});
      Pass(absl::Seconds(1));
    }
  }

  Clock clock_;
  Random random_{3};
  Network network_;
  std::array<bool, 2> alive_ = {true, true};
  std::array<std::vector<core::Event>, 2> heard_;
  Link link_;
};

TEST_F(TwoEnds, ConnectAndKeepTheOrder) {
  Beat(3);
  ASSERT_TRUE(link_.Lives());
  for (uint64_t term = 1; term <= 50; ++term) {
    core::NodeState state;
    state.term = core::Term{term};
    link_.Send(0, state);
  }
  Pass(absl::Seconds(1));
  uint64_t last = 0;
  for (const core::Event& event : heard_[1]) {
    const auto* told = std::get_if<core::PeerReported>(&event);
    if (told != nullptr && told->state.term > core::Term{}) {
      EXPECT_EQ(told->state.term.value, last + 1);
      last = told->state.term.value;
    }
  }
  EXPECT_EQ(last, 50u);
}

TEST_F(TwoEnds, NoticeACutBySilenceAndConnectAgain) {
  Beat(4);
  ASSERT_TRUE(link_.Lives());
  network_.link = {false, false};
  Beat(5);
  EXPECT_FALSE(link_.Believes(0));
  EXPECT_FALSE(link_.Believes(1));
  EXPECT_EQ(Count<core::PeerDisconnected>(1), 1);
  EXPECT_EQ(Count<core::PeerConnected>(1), 1);
  network_.link = {true, true};
  link_.WireRepaired();
  Beat(4);
  EXPECT_TRUE(link_.Lives());
  EXPECT_EQ(Count<core::PeerConnected>(1), 2);
}

TEST_F(TwoEnds, GetWhatWasSentDuringAShortCut) {
  Beat(4);
  const int before = Count<core::PeerReported>(1);
  network_.link[0] = false;
  link_.Send(0, core::NodeState{});
  Pass(absl::Seconds(1));
  EXPECT_EQ(Count<core::PeerReported>(1), before);
  network_.link[0] = true;
  link_.WireRepaired();
  EXPECT_EQ(Count<core::PeerReported>(1), before + 1);
}

TEST_F(TwoEnds, LearnOfADeadAgentAtOnceButOfAPowerCutBySilence) {
  Beat(4);
  alive_[1] = false;
  link_.AgentDied(1, /*power_cut=*/false);
  Pass(absl::Milliseconds(50));
  EXPECT_FALSE(link_.Believes(0));
  alive_[1] = true;
  Beat(4);
  ASSERT_TRUE(link_.Lives());
  alive_[1] = false;
  link_.AgentDied(1, /*power_cut=*/true);
  Pass(absl::Milliseconds(1500));
  EXPECT_TRUE(link_.Believes(0));
  Pass(absl::Seconds(3));
  EXPECT_FALSE(link_.Believes(0));
}

}  // namespace
}  // namespace zcluster::sim
