// SPDX-License-Identifier: Apache-2.0
#include "controller/store/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "controller/store/history.h"
#include "controller/store/layout.h"
#include "tests/controller/store/stage.h"

namespace zcluster::controller {
namespace {

using test::AgentOf;
using test::EventOf;
using test::PlacesOf;
using testing::ElementsAre;
using testing::IsEmpty;

class SearchTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = directory_.path() + "/c.db";
    database_ = std::make_unique<sqlite::Database>(*OpenFile(path));
    roster_ = std::make_unique<Roster>(*Roster::Open(*database_));
    history_ = std::make_unique<History>(*History::Open(*database_, 1'000'000));
    auto search = Search::Open(path);
    ASSERT_TRUE(search.ok()) << search.status();
    search_ = std::make_unique<Search>(*std::move(search));
  }
  // As the controller's own, which needs no agent.
  void Add(const std::string& pair, int64_t seconds, bool warning, const std::string& name = "a") {
    absl::StatusOr<Store::Appended> answer = Store::Appended();
    ASSERT_TRUE(
        history_
            ->Append(*roster_,
                     {{pair, ""}, "", {EventOf(0, name, warning)}, absl::FromUnixSeconds(seconds)},
                     answer)
            .ok());
    ASSERT_TRUE(answer.ok());
    for (const v1::FleetEvent& event : answer->events) all_.push_back(event);
  }
  std::vector<v1::FleetEvent> Find(const Store::Query& query) {
    auto found = search_->Find(query);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? *std::move(found) : std::vector<v1::FleetEvent>();
  }
  // What the header promises, said the slow way.
  std::vector<uint64_t> Expected(const Store::Query& query) const {
    const std::set<std::string> pairs(query.pairs.begin(), query.pairs.end());
    std::vector<uint64_t> numbers;
    for (const v1::FleetEvent& event : all_) {
      if (event.number() > query.after && (pairs.empty() || pairs.count(event.pair()) != 0) &&
          (!query.warnings || event.event().warning()) &&
          absl::FromUnixSeconds(event.received().seconds()) > query.since) {
        numbers.push_back(event.number());
      }
    }
    if (numbers.size() > query.limit) {
      const auto limit = static_cast<std::ptrdiff_t>(query.limit);
      if (query.newest) {
        numbers.erase(numbers.begin(), numbers.end() - limit);
      } else {
        numbers.resize(query.limit);
      }
    }
    return numbers;
  }

  test::Directory directory_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<Roster> roster_;
  std::unique_ptr<History> history_;
  std::unique_ptr<Search> search_;
  std::vector<v1::FleetEvent> all_;
};

TEST_F(SearchTest, FindsNothingWhereNothingIs) {
  for (const bool newest : {true, false}) {
    EXPECT_THAT(Find({.newest = newest}), IsEmpty());
    EXPECT_THAT(Find({.pairs = {"a"}, .warnings = true, .newest = newest}), IsEmpty());
    EXPECT_THAT(Find({.since = absl::UnixEpoch(), .newest = newest}), IsEmpty());
  }
}

TEST_F(SearchTest, GivesEachEventAsItWasTold) {
  Add("web-1", 5, true, "agent_lost");
  const auto found = Find({});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].SerializeAsString(), all_[0].SerializeAsString());
}

// Any question, over clocks that jump, against the promise.
TEST_F(SearchTest, FindsWhatIsAskedFor) {
  std::mt19937 random(4711);
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  auto transaction = sqlite::Transaction::ToWrite(*database_);
  for (int i = 0; i < 2'000; ++i) {
    Add(absl::StrCat("p", below(12)), 1'000 + i + (below(50) == 0 ? below(3'000) - 1'500 : 0),
        below(10) == 0);
  }
  ASSERT_TRUE(transaction->Commit().ok());
  for (int i = 0; i < 1'000; ++i) {
    Store::Query query;
    for (int n = below(3) == 0 ? 0 : below(8); n > 0; --n) {
      query.pairs.push_back(absl::StrCat("p", below(14)));
    }
    if (below(2) == 0) query.after = static_cast<uint64_t>(below(2'100));
    if (below(2) == 0) query.since = absl::FromUnixSeconds(500 + below(3'500));
    query.warnings = below(2) == 0;
    query.limit = static_cast<size_t>(below(3) == 0 ? 10'000 : below(40));
    query.newest = below(2) == 0;
    ASSERT_EQ(PlacesOf(Find(query)), Expected(query))
        << "pairs " << query.pairs.size() << " after " << query.after << " since " << query.since
        << " warnings " << query.warnings << " limit " << query.limit << " newest " << query.newest;
  }
}

TEST_F(SearchTest, TakesTheLargestNumberToBeginAfter) {
  Add("a", 1, false);
  EXPECT_THAT(Find({.after = ~uint64_t{0}}), IsEmpty());
}

TEST_F(SearchTest, GivesAtMostTenThousand) {
  auto transaction = sqlite::Transaction::ToWrite(*database_);
  for (int i = 0; i < 10'010; ++i) Add("a", i, false);
  ASSERT_TRUE(transaction->Commit().ok());
  const auto found = Find({.limit = 1'000'000});
  ASSERT_EQ(found.size(), 10'000U);
  EXPECT_EQ(found.front().number(), 11U);
}

// 400 events of 60,000 bytes are 24 MB.
TEST_F(SearchTest, GivesNoMoreThanFitsInMemory) {
  auto transaction = sqlite::Transaction::ToWrite(*database_);
  for (int i = 0; i < 400; ++i) Add("a", i, false, std::string(60'000, 'x'));
  ASSERT_TRUE(transaction->Commit().ok());
  const auto newest = Find({.limit = 10'000});
  ASSERT_LT(newest.size(), 300U);
  ASSERT_GT(newest.size(), 200U);
  EXPECT_EQ(newest.back().number(), 400U) << "those that are asked for first";
  const auto oldest = Find({.limit = 10'000, .newest = false});
  EXPECT_EQ(oldest.front().number(), 1U);
  EXPECT_EQ(oldest.size(), newest.size());
}

TEST_F(SearchTest, SaysThatAnEventIsDamaged) {
  Add("a", 1, false);
  ASSERT_TRUE(database_->Execute("UPDATE events SET event = x'ffff'").ok());
  const absl::Status status = search_->Find({}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("event 1 is damaged"));
}

TEST_F(SearchTest, FindsNothingAfterItWasStopped) {
  Add("a", 1, false);
  search_->Stop();
  EXPECT_EQ(search_->Find({}).status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace zcluster::controller
