// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/journals.h"

#include <gtest/gtest.h>

#include "ctl/verbs/words.h"

namespace zcluster::ctl {
namespace {

NodeJournal JournalOf(const std::string& node, const std::vector<int>& milliseconds) {
  NodeJournal journal;
  journal.node = node;
  for (const int at : milliseconds) {
    v1::Event& event = journal.events.emplace_back();
    *event.mutable_at() = ToProto(absl::UnixEpoch() + absl::Milliseconds(at));
    event.set_name(node + std::to_string(at));
  }
  return journal;
}

std::string Order(const std::vector<NodeJournal>& journals) {
  std::string order;
  for (const Happening& happening : Merge(journals)) order += happening.event->name() + " ";
  return order;
}

TEST(Journals, MergeByTheAskedNodesClock) {
  std::vector<NodeJournal> journals = {JournalOf("a", {10, 30}), JournalOf("b", {1020})};
  EXPECT_EQ(Order(journals), "a10 a30 b1020 ");
  journals[1].clock = ClockAhead{absl::Seconds(1), absl::ZeroDuration()};
  EXPECT_EQ(Order(journals), "a10 b1020 a30 ");
}

// A clock that is set back must not turn a node's own history round.
TEST(Journals, KeepEachNodesOwnOrder) {
  EXPECT_EQ(Order({JournalOf("a", {100, 50, 60}), JournalOf("b", {})}), "a100 a50 a60 ");
}

TEST(Journals, SayHowTheClocksDiffer) {
  NodeJournal journal;
  EXPECT_EQ(ClockText(journal), "clock not measured");
  journal.clock = ClockAhead{absl::Microseconds(-1200), absl::Microseconds(300)};
  EXPECT_EQ(ClockText(journal), "clock 1.2ms behind, give or take 300us");
}

}  // namespace
}  // namespace zcluster::ctl
