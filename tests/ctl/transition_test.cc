// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/transition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctl/verbs/words.h"

namespace zcluster::ctl {
namespace {

using testing::Contains;
using testing::HasSubstr;

const absl::Time kStart = absl::FromUnixSeconds(1'769'947'200);

using Fields = std::vector<std::pair<std::string, std::string>>;

// Two nodes whose journals a test writes, in ms from a start.
class TransitionTest : public testing::Test {
 protected:
  TransitionTest() : journals_(2) {
    journals_[0].node = "node1";
    journals_[0].local = true;
    journals_[1].node = "node2";
    journals_[1].clock = ClockAhead{absl::ZeroDuration(), absl::Microseconds(200)};
  }
  void Happen(int node, int at, const std::string& name, const Fields& fields = {}) {
    v1::Event& event = journals_[static_cast<size_t>(node - 1)].events.emplace_back();
    *event.mutable_at() = ToProto(kStart + absl::Milliseconds(at));
    event.set_name(name);
    for (const auto& [field, value] : fields) {
      v1::Event::Field& added = *event.add_fields();
      added.set_name(field);
      added.set_value(value);
    }
  }
  void Promote(int node, int at, int term, Fields more = {}) {
    more.insert(more.begin(), {{"term", std::to_string(term)}, {"cause", "adverts_stopped"}});
    Happen(node, at, "promoted", more);
  }
  Transition Explained(const Which& which = {}) {
    const auto transition = Explain(journals_, which);
    EXPECT_TRUE(transition.ok()) << transition.status();
    return transition.ok() ? *transition : Transition();
  }
  static Stage StageOf(const Transition& transition, const std::string& name) {
    for (const Stage& stage : transition.stages) {
      if (stage.name == name) return stage;
    }
    ADD_FAILURE() << "no stage " << name;
    return {};
  }

  std::vector<NodeJournal> journals_;
};

TEST_F(TransitionTest, OfADeadMasterNamesCauseDetectionAndConnections) {
  Promote(1, 350, 8,
          {{"from", "node2"},
           {"peer_heard", "312.5ms"},
           {"flows_held", "80311"},
           {"ended_on_peer", "37"}});
  Happen(1, 2300, "peer_disconnected", {{"reason", "no answer"}});
  journals_[1].problem = "node2 cannot be asked for its events: no answer";
  const Transition transition = Explained();
  EXPECT_EQ(transition.kind, "failover");
  EXPECT_EQ(transition.cause, "adverts_stopped");
  EXPECT_EQ(transition.from, "node2");
  EXPECT_EQ(transition.to, "node1");
  EXPECT_EQ(transition.term, 8u);
  EXPECT_EQ(StageOf(transition, "detection").took, absl::Microseconds(312500));
  EXPECT_EQ(StageOf(transition, "recovery").took, absl::nullopt);
  EXPECT_EQ(transition.lived, 80311u);
  EXPECT_EQ(transition.broke, 37u);
  EXPECT_THAT(transition.lacks, Contains(HasSubstr("node2 cannot be asked")));
  EXPECT_EQ(transition.timeline.size(), 2u);
}

// Measured where it was seen, instead of guessed from the link.
TEST_F(TransitionTest, TellsWhatTheNetworkShowed) {
  Happen(1, 300, "vrrp_changed", {{"to", "MASTER"}});
  Promote(1, 350, 8, {{"from", "node2"}, {"peer_heard", "900ms"}});
  Happen(1, 351, "network_seen", {{"what", "last_advert"}, {"after", "-312.5ms"}});
  Happen(1, 351, "network_seen", {{"what", "vips"}, {"after", "200us"}});
  Happen(1, 353, "network_seen", {{"what", "first_packet"}, {"after", "1.5ms"}});
  const Transition transition = Explained();
  EXPECT_EQ(StageOf(transition, "detection").took, absl::Microseconds(312500));
  EXPECT_EQ(StageOf(transition, "decision").took, absl::Milliseconds(50));
  EXPECT_EQ(StageOf(transition, "vip").took, absl::Microseconds(200));
  EXPECT_EQ(StageOf(transition, "first packet").took, absl::Microseconds(1500));
}

TEST_F(TransitionTest, ThatWasAskedForNamesWhoWhyAndEachStep) {
  Happen(2, 0, "promoted", {{"term", "1"}, {"cause", "peer_unreachable"}});
  Happen(2, 900, "ready");
  Happen(2, 1000, "operation_started",
         {{"operation", "switchover"}, {"by", "operator anna"}, {"reason", "new disk"}});
  Happen(2, 1004, "gives_way", {{"to", "node1"}});
  Promote(1, 1010, 2, {{"flows_held", "5"}, {"ended_on_peer", "0"}});
  Happen(1, 1050, "peer_stands_by");
  const Transition transition = Explained();
  EXPECT_EQ(transition.kind, "switchover");
  EXPECT_EQ(transition.by, "operator anna");
  EXPECT_EQ(transition.reason, "new disk");
  EXPECT_EQ(transition.from, "node2");
  EXPECT_EQ(transition.cause, "node2 handed over to node1");
  EXPECT_EQ(StageOf(transition, "barrier").took, absl::Milliseconds(4));
  EXPECT_EQ(StageOf(transition, "barrier").uncertainty, absl::ZeroDuration());
  EXPECT_EQ(StageOf(transition, "election").took, absl::Milliseconds(6));
  EXPECT_EQ(StageOf(transition, "election").uncertainty, absl::Microseconds(200));
  EXPECT_EQ(StageOf(transition, "recovery").took, absl::Milliseconds(40));
  EXPECT_TRUE(transition.lacks.empty());
  // It begins with what was asked, not with what was before.
  EXPECT_EQ(transition.timeline.front().event->name(), "operation_started");
}

// A clock that is ahead must not make an effect come before its cause.
TEST_F(TransitionTest, IsInOrderThoughTheClocksDiffer) {
  journals_[1].clock = ClockAhead{absl::Seconds(30), absl::Milliseconds(1)};
  Happen(2, 30'000, "operation_started", {{"operation", "switchover"}});
  Happen(2, 30'004, "gives_way");
  Promote(1, 10, 2);
  EXPECT_EQ(StageOf(Explained(), "election").took, absl::Milliseconds(6));
}

// The master died after it had tried to hand over, and had undone that.
TEST_F(TransitionTest, IsNotBlamedOnAnOperationThatWasOver) {
  Happen(2, 1000, "operation_started", {{"operation", "switchover"}});
  Happen(2, 1004, "gives_way");
  Happen(2, 9000, "operation_finished");
  Promote(1, 10'000, 2);
  EXPECT_EQ(Explained().kind, "failover");
}

// As far as the clocks leave open who was first.
TEST_F(TransitionTest, FindsItsCauseBehindItself) {
  Happen(2, 1000, "operation_started", {{"operation", "switchover"}});
  Happen(2, 1011, "gives_way");
  Promote(1, 1010, 2);
  EXPECT_EQ(Explained().kind, "switchover");
}

// A takeover that VRRP took back is not the one that the promotion followed.
TEST_F(TransitionTest, CountsFromTheTakeoverThatItFollowed) {
  Happen(1, 0, "vrrp_changed", {{"to", "MASTER"}});
  Happen(1, 10, "vrrp_changed", {{"to", "BACKUP"}});
  Promote(1, 350, 8);
  EXPECT_EQ(StageOf(Explained(), "decision").took, absl::ZeroDuration());
}

TEST_F(TransitionTest, IsChosenByPlaceOrTerm) {
  Promote(1, 0, 1);
  Promote(2, 1000, 2);
  Happen(2, 1500, "promoted", {{"term", "3"}, {"cause", "peer_knows_a_later_term"}});
  Promote(1, 2000, 4);
  EXPECT_EQ(Explained().term, 4u);
  EXPECT_EQ(Explained({.last = 2}).term, 2u);
  EXPECT_EQ(Explained({.term = 1}).term, 1u);
  const auto none = Explain(journals_, {.last = 9});
  EXPECT_EQ(none.status().message(),
            "no such change of the master: the nodes remember 3 (zctl events)");
}

TEST_F(TransitionTest, IsNotThereInAPairThatNeverMoved) {
  EXPECT_EQ(Explain(journals_, {}).status().message(),
            "no change of the master is in what the nodes remember");
}

TEST_F(TransitionTest, SaysWhatItDoesNotKnow) {
  Promote(1, 0, 1, {{"peer_heard", "never"}});
  const Transition transition = Explained();
  EXPECT_EQ(StageOf(transition, "detection").took, absl::nullopt);
  EXPECT_THAT(transition.lacks, Contains(HasSubstr("how many connections went on")));
  EXPECT_THAT(transition.lacks, Contains(HasSubstr("how many connections ended")));
}

TEST_F(TransitionTest, IsBoundedInTimeAndLength) {
  for (int i = 0; i < 1000; ++i) Happen(1, i, "noise");
  Promote(1, 70'000, 1);
  EXPECT_EQ(Explained().timeline.size(), 1u);
  for (int i = 0; i < 1000; ++i) Happen(1, 70'001 + i, "noise");
  EXPECT_EQ(Explained().timeline.size(), 200u);
}

}  // namespace
}  // namespace zcluster::ctl
