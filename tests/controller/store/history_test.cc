// SPDX-License-Identifier: Apache-2.0
#include "controller/store/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/store/layout.h"
#include "tests/controller/store/stage.h"

namespace zcluster::controller {
namespace {

using test::AgentOf;
using test::BatchOf;
using test::EventOf;
using test::NumbersIn;
using test::PlacesOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const AgentId kAgent{"web-1", "lb1"};
const AgentId kOther{"web-1", "lb2"};

class HistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    Open(1'000);
    for (const AgentId& agent : {kAgent, kOther}) {
      ASSERT_TRUE(roster_->Apply(PutAgent{AgentOf(agent)}).ok());
    }
  }
  void Open(uint64_t max_events) {
    history_.reset();
    roster_.reset();
    database_ = std::make_unique<sqlite::Database>(*OpenFile(directory_.path() + "/c.db"));
    roster_ = std::make_unique<Roster>(*Roster::Open(*database_));
    history_ = std::make_unique<History>(*History::Open(*database_, max_events));
  }
  absl::StatusOr<Store::Appended> Append(const Store::Batch& batch) {
    absl::StatusOr<Store::Appended> answer = Store::Appended();
    const absl::Status status = history_->Append(*roster_, batch, answer);
    EXPECT_TRUE(status.ok()) << status;
    return answer;
  }

  test::Directory directory_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<Roster> roster_;
  std::unique_ptr<History> history_;
};

TEST_F(HistoryTest, NumbersTheEventsOfAllAgentsInOneRow) {
  const auto first = Append(BatchOf(kAgent, "j", 1, 2));
  const auto second = Append(BatchOf(kOther, "k", 1, 1));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_THAT(PlacesOf(first->events), ElementsAre(1, 2));
  EXPECT_THAT(PlacesOf(second->events), ElementsAre(3));
  EXPECT_EQ(second->events[0].pair(), "web-1");
  EXPECT_EQ(second->events[0].node(), "lb2");
  EXPECT_EQ(second->events[0].event().name(), "promoted");
  EXPECT_EQ(second->events[0].received().seconds(), 1'700'000'000);
  EXPECT_EQ(history_->extent().count(), 3U);
}

TEST_F(HistoryTest, KeepsOnceWhatIsToldAgain) {
  ASSERT_TRUE(Append(BatchOf(kAgent, "j", 1, 5)).ok());
  const auto again = Append(BatchOf(kAgent, "j", 3, 7));
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(NumbersIn(again->events), ElementsAre(6, 7));
  EXPECT_EQ(again->taken, 7U);
  EXPECT_EQ(again->lost, 0U);
  const auto old = Append(BatchOf(kAgent, "j", 1, 2));
  ASSERT_TRUE(old.ok());
  EXPECT_THAT(old->events, IsEmpty());
  EXPECT_EQ(old->taken, 7U);
}

TEST_F(HistoryTest, CountsWhatTheAgentHasDropped) {
  ASSERT_TRUE(Append(BatchOf(kAgent, "j", 1, 5)).ok());
  const auto later = Append(BatchOf(kAgent, "j", 9, 10));
  ASSERT_TRUE(later.ok());
  EXPECT_EQ(later->lost, 3U);
  Store::Batch holed = BatchOf(kAgent, "j", 11, 11);
  holed.events.push_back(EventOf(14));
  const auto inner = Append(holed);
  ASSERT_TRUE(inner.ok());
  EXPECT_EQ(inner->lost, 2U);
  EXPECT_EQ(inner->taken, 14U);
}

// Those between failed for the disk, and the agent has them still.
TEST_F(HistoryTest, TakesNothingThatFollowsWhatWasNotTaken) {
  ASSERT_TRUE(Append(BatchOf(kAgent, "j", 1, 5)).ok());
  for (const char* journal : {"j", "other"}) {
    Store::Batch third = BatchOf(kAgent, journal, 11, 15);
    third.after = 10;
    const absl::Status status = Append(third).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_THAT(std::string(status.message()), HasSubstr("web-1/lb1: events up to 10"));
  }
  Store::Batch second = BatchOf(kAgent, "j", 6, 10);
  second.after = 5;
  ASSERT_TRUE(Append(second).ok());
  Store::Batch third = BatchOf(kAgent, "j", 11, 15);
  third.after = 10;
  EXPECT_EQ(Append(third)->taken, 15U);
  EXPECT_EQ(history_->extent().count(), 15U);
}

TEST_F(HistoryTest, BeginsANewJournalWithItsFirstNumber) {
  ASSERT_TRUE(Append(BatchOf(kAgent, "j", 1, 5)).ok());
  const auto anew = Append(BatchOf(kAgent, "other", 3, 4));
  ASSERT_TRUE(anew.ok());
  EXPECT_THAT(NumbersIn(anew->events), ElementsAre(3, 4));
  EXPECT_EQ(anew->lost, 0U);
  EXPECT_EQ(anew->taken, 4U);
  EXPECT_EQ((*roster_->Find(kAgent))->journal, "other");
}

TEST_F(HistoryTest, BeginsNothingWithoutAnEvent) {
  ASSERT_TRUE(Append(BatchOf(kAgent, "j", 1, 5)).ok());
  const auto none = Append(BatchOf(kAgent, "other", 1, 0));
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->taken, 0U);
  EXPECT_EQ((*roster_->Find(kAgent))->journal, "j");
}

TEST_F(HistoryTest, TakesTheLargestNumberThatThereIs) {
  Store::Batch batch{kAgent, "j", {EventOf(1), EventOf(~uint64_t{0})}, absl::UnixEpoch()};
  const auto appended = Append(batch);
  ASSERT_TRUE(appended.ok());
  EXPECT_EQ(appended->taken, ~uint64_t{0});
  EXPECT_EQ(appended->lost, ~uint64_t{0} - 2);
  Open(1'000);
  EXPECT_THAT(Append(batch)->events, IsEmpty());
}

TEST_F(HistoryTest, RefusesWhatCannotBeAndKeepsNothingOfIt) {
  Store::Batch disordered = BatchOf(kAgent, "j", 1, 2);
  disordered.events.push_back(EventOf(2));
  Store::Batch zero{kAgent, "j", {EventOf(0)}, absl::UnixEpoch()};
  Store::Batch huge{kAgent, "j", {EventOf(1), EventOf(2, std::string(70'000, 'x'))}, {}};
  const std::pair<Store::Batch, const char*> cases[] = {
      {disordered, "web-1/lb1: event 2 comes after event 2"},
      {zero, "event 0 comes after event 0"},
      {huge, "web-1/lb1: event 2 has 70"},
      {BatchOf(kAgent, "", 1, 1), "a journal without a name"},
      {BatchOf({"web-1", ""}, "j", 1, 1), "are of no journal"},
  };
  for (const auto& [batch, words] : cases) {
    const absl::Status status = Append(batch).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << words;
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }
  EXPECT_EQ(history_->extent().count(), 0U);
  EXPECT_EQ((*roster_->Find(kAgent))->taken, 0U);
}

TEST_F(HistoryTest, RefusesAnAgentThatIsNotThere) {
  const absl::Status status = Append(BatchOf({"web-9", "lb1"}, "j", 1, 1)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("web-9/lb1"));
}

TEST_F(HistoryTest, KeepsTheControllersOwnEventsEachTime) {
  for (uint64_t number = 1; number <= 2; ++number) {
    const auto appended = Append({{"web-9", ""}, "", {EventOf(0, "agent_lost")}, {}});
    ASSERT_TRUE(appended.ok()) << appended.status();
    EXPECT_THAT(PlacesOf(appended->events), ElementsAre(number));
    EXPECT_EQ(appended->taken, 0U);
  }
}

TEST_F(HistoryTest, KeepsTheNewestInBoundedSteps) {
  Open(10);
  ASSERT_TRUE(Append(BatchOf(kAgent, "j", 1, 30)).ok());
  EXPECT_EQ(history_->Excess(), 20U);
  ASSERT_TRUE(history_->Prune(15).ok());
  EXPECT_EQ(history_->extent().first, 16U);
  ASSERT_TRUE(history_->Prune(15).ok());
  EXPECT_EQ(history_->extent().first, 21U);
  EXPECT_EQ(history_->Excess(), 0U);
  ASSERT_TRUE(history_->Prune(15).ok());
  Open(10);
  EXPECT_EQ(history_->extent().first, 21U);
  EXPECT_EQ(history_->extent().last, 30U);
}

TEST_F(HistoryTest, NeverGivesANumberTwice) {
  Open(0);
  ASSERT_TRUE(Append(BatchOf(kAgent, "j", 1, 3)).ok());
  ASSERT_TRUE(history_->Prune(100).ok());
  Open(0);
  EXPECT_EQ(history_->extent().count(), 1U);
  EXPECT_THAT(PlacesOf(Append(BatchOf(kAgent, "j", 4, 4))->events), ElementsAre(4));
}

TEST_F(HistoryTest, IsAsItWasAfterATransactionThatFailed) {
  ASSERT_TRUE(Append(BatchOf(kAgent, "j", 1, 2)).ok());
  const History::Extent before = history_->extent();
  {
    auto transaction = sqlite::Transaction::ToWrite(*database_);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(Append(BatchOf(kAgent, "j", 3, 9)).ok());
  }
  history_->Restore(before);
  const auto again = Append(BatchOf(kAgent, "j", 3, 3));
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(PlacesOf(again->events), ElementsAre(3));
}

// A clock that is set back or forward changes nothing in what is kept, nor in which order.
TEST_F(HistoryTest, GoesByNumbersAndNeverByAClock) {
  Open(3);
  uint64_t number = 0;
  for (const int64_t seconds : {5'000, 9'000'000, -77, 4'000, 1}) {
    Store::Batch batch{kAgent, "j", {EventOf(++number)}, absl::FromUnixSeconds(seconds)};
    ASSERT_TRUE(Append(batch).ok());
    ASSERT_TRUE(history_->Prune(100).ok());
  }
  EXPECT_EQ(history_->extent().first, 3U);
  EXPECT_EQ(history_->extent().last, 5U);
}

}  // namespace
}  // namespace zcluster::controller
