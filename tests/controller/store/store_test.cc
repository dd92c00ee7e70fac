// SPDX-License-Identifier: Apache-2.0
#include "controller/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "absl/synchronization/blocking_counter.h"
#include "common/file.h"
#include "common/sqlite.h"
#include "controller/store/layout.h"
#include "tests/controller/store/stage.h"
#include "tests/support/small_disk.h"

namespace zcluster::controller {
namespace {

using test::AgentOf;
using test::BatchOf;
using test::EventOf;
using test::kDeadline;
using test::NumbersIn;
using test::PlacesOf;
using test::Stage;
using testing::ElementsAre;
using testing::HasSubstr;

const AgentId kAgent{"web-1", "lb1"};
const AgentId kOther{"web-1", "lb2"};

class StoreTest : public testing::Test {
 protected:
  StoreTest() : options_{.path = directory_.path() + "/controller.db"} {}
  std::unique_ptr<Stage> Open() {
    auto stage = std::make_unique<Stage>(options_);
    EXPECT_TRUE(stage->status().ok()) << stage->status();
    return stage;
  }
  // Two agents are enrolled.
  std::unique_ptr<Stage> OpenWithAgents() {
    auto stage = Open();
    EXPECT_TRUE(stage
                    ->Write({PutPair{{"web-1", "ca", {}}}, PutAgent{AgentOf(kAgent)},
                             PutAgent{AgentOf(kOther)}})
                    .ok());
    return stage;
  }
  // Commits that are in the log: frames with the size of the file in them (SQLite's "WAL format").
  int Commits() const {
    const std::string log = ReadFile(options_.path + "-wal").value_or("");
    constexpr size_t kHeader = 32;
    constexpr size_t kFrame = 24 + 4096;
    int commits = 0;
    for (size_t at = kHeader; at + kFrame <= log.size(); at += kFrame) {
      commits += log.substr(at + 4, 4) != std::string(4, '\0') ? 1 : 0;
    }
    return commits;
  }

  test::Directory directory_;
  Store::Options options_;
};

TEST_F(StoreTest, RemembersWhatWasWritten) {
  const PairRecord pair{"web-1", "ca", {{"site", "paris"}}};
  {
    auto stage = Open();
    ASSERT_TRUE(stage->Write({PutPair{pair}, PutAgent{AgentOf(kAgent)}}).ok());
    ASSERT_TRUE(stage->Append(BatchOf(kAgent, "j", 1, 3)).ok());
  }
  auto stage = Open();
  stage->Do([&](Store& store) {
    EXPECT_THAT(store.contents().pairs, ElementsAre(pair));
    AgentRecord agent = AgentOf(kAgent);
    agent.journal = "j";
    agent.events_taken = 3;
    EXPECT_THAT(store.contents().agents, ElementsAre(agent));
    EXPECT_EQ(store.last_event(), 3U);
    EXPECT_EQ(store.events(), 3U);
  });
  EXPECT_THAT(NumbersIn(*stage->Read({})), ElementsAre(1, 2, 3));
}

TEST_F(StoreTest, KeepsItsFilesFromOthers) {
  auto stage = OpenWithAgents();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info = {};
    ASSERT_EQ(::stat((options_.path + suffix).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U) << suffix;
  }
}

TEST_F(StoreTest, LeavesTheFileOfANewerProgramAlone) {
  Open();
  {
    auto database = OpenFile(options_.path);
    ASSERT_TRUE(database.ok() && database->Execute("PRAGMA user_version=3").ok());
  }
  const std::string before = *ReadFile(options_.path);
  const Stage stage(options_);
  EXPECT_EQ(stage.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(stage.status().message()),
              testing::AllOf(HasSubstr(options_.path), HasSubstr("newer zcontroller"),
                             HasSubstr("layout 3, this one knows 1")));
  EXPECT_EQ(*ReadFile(options_.path), before);
}

TEST_F(StoreTest, NamesAPathThatCannotBeOpened) {
  options_.path = directory_.path() + "/missing/c.db";
  EXPECT_THAT(std::string(Stage(options_).status().message()), HasSubstr("/missing/c.db"));
}

TEST_F(StoreTest, AnswersInTheOrderInWhichItWasAsked) {
  auto stage = OpenWithAgents();
  std::vector<int> answers;
  absl::Notification over;
  stage->Do([&](Store& store) {
    for (int i = 0; i < 100; ++i) {
      if (i % 2 == 0) {
        store.Append(
            BatchOf(kAgent, "j", static_cast<uint64_t>(i + 1), static_cast<uint64_t>(i + 1)),
            [&, i](const auto&) { answers.push_back(i); });
      } else {
        store.Write({DropToken{"none"}}, [&, i](const absl::Status&) { answers.push_back(i); });
      }
    }
    store.Write({}, [&](const absl::Status&) { over.Notify(); });
  });
  ASSERT_TRUE(over.WaitForNotificationWithTimeout(kDeadline));
  ASSERT_EQ(answers.size(), 100U);
  EXPECT_TRUE(std::is_sorted(answers.begin(), answers.end()));
}

TEST_F(StoreTest, WritesInTheOrderInWhichItWasAsked) {
  auto stage = Open();
  absl::Status early;
  absl::Notification over;
  stage->Do([&](Store& store) {
    store.Append(BatchOf(kAgent, "j", 1, 1), [&](const auto& answer) { early = answer.status(); });
    store.Write({PutAgent{AgentOf(kAgent)}}, [](const auto&) {});
    store.Append(BatchOf(kAgent, "j", 1, 1), [&](const auto& answer) {
      EXPECT_TRUE(answer.ok()) << answer.status();
      over.Notify();
    });
  });
  ASSERT_TRUE(over.WaitForNotificationWithTimeout(kDeadline));
  EXPECT_EQ(early.code(), absl::StatusCode::kNotFound);
}

TEST_F(StoreTest, TellsItsFiguresWithTheAnswer) {
  auto stage = OpenWithAgents();
  absl::Notification over;
  stage->Do([&](Store& store) {
    store.Append(BatchOf(kAgent, "j", 1, 4), [&](const auto&) {
      EXPECT_EQ(store.last_event(), 4U);
      EXPECT_EQ(store.events(), 4U);
      over.Notify();
    });
    EXPECT_EQ(store.last_event(), 0U);
  });
  ASSERT_TRUE(over.WaitForNotificationWithTimeout(kDeadline));
}

// 1,000 writes of their own would be 1,000 waits for the disk.
TEST_F(StoreTest, WritesManySmallBatchesInFewCommits) {
  auto stage = OpenWithAgents();
  const int before = Commits();
  ASSERT_GT(before, 0);
  absl::BlockingCounter left(1'000);
  stage->Do([&](Store& store) {
    for (uint64_t i = 1; i <= 1'000; ++i) {
      store.Append(BatchOf(kAgent, "j", i, i), [&](const auto& answer) {
        EXPECT_TRUE(answer.ok());
        left.DecrementCount();
      });
    }
  });
  left.Wait();
  const int commits = Commits() - before;
  EXPECT_GE(commits, 1);
  EXPECT_LE(commits, 50);
  EXPECT_EQ(stage->events(), 1'000U);
}

// However quick the disk is: this one is memory.
TEST_F(StoreTest, LeavesAPauseBetweenCommitsUnderLoad) {
  if (!zcluster::test::SmallDisk::Possible()) GTEST_SKIP() << "needs root";
  const zcluster::test::SmallDisk disk(32);
  options_.path = disk.path() + "/controller.db";
  auto stage = OpenWithAgents();
  const int before = Commits();
  constexpr uint64_t kLast = 100;
  absl::Notification over;
  std::function<void(uint64_t)> append;  // one after the other
  const auto begun = std::chrono::steady_clock::now();
  stage->Do([&](Store& store) {
    append = [&](uint64_t number) {
      store.Append(BatchOf(kAgent, "j", number, number), [&, number](const auto&) {
        number == kLast ? over.Notify() : append(number + 1);
      });
    };
    append(1);
  });
  ASSERT_TRUE(over.WaitForNotificationWithTimeout(kDeadline));
  const auto lasted = std::chrono::steady_clock::now() - begun;
  EXPECT_LE(Commits() - before, lasted / std::chrono::milliseconds(5) + 2);
}

TEST_F(StoreTest, RefusesABatchWithoutHarmToItsNeighbours) {
  auto stage = OpenWithAgents();
  std::vector<absl::StatusCode> codes;
  absl::Notification over;
  const auto note = [&](const absl::StatusOr<Store::Appended>& answer) {
    codes.push_back(answer.status().code());
    if (codes.size() == 5) over.Notify();
  };
  stage->Do([&](Store& store) {
    store.Append(BatchOf(kAgent, "j", 1, 2), note);
    store.Append(BatchOf({"web-1", "stranger"}, "j", 1, 1), note);
    store.Append({kOther, "k", {EventOf(2), EventOf(1)}, {}}, note);
    store.Append({kOther, "k", {EventOf(1, std::string(100'000, 'x'))}, {}}, note);
    store.Append(BatchOf(kOther, "k", 1, 1), note);
  });
  ASSERT_TRUE(over.WaitForNotificationWithTimeout(kDeadline));
  using absl::StatusCode;
  EXPECT_THAT(codes,
              ElementsAre(StatusCode::kOk, StatusCode::kNotFound, StatusCode::kInvalidArgument,
                          StatusCode::kInvalidArgument, StatusCode::kOk));
  EXPECT_EQ(stage->events(), 3U);
  EXPECT_EQ(stage->problem(), "");
}

// What waits has a bound; what was refused can be had again later.
TEST_F(StoreTest, RefusesWhatIsTooMuchToWait) {
  options_.max_waiting = 100'000;
  auto stage = OpenWithAgents();
  constexpr int kBatches = 5'000;
  absl::BlockingCounter left(kBatches);
  uint64_t taken = 0;
  int refused = 0;
  stage->Do([&](Store& store) {
    for (uint64_t i = 1; i <= kBatches; ++i) {
      store.Append(BatchOf(kAgent, "j", i, i), [&](const auto& answer) {
        if (answer.ok()) {
          ++taken;
        } else {
          EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted);
          ++refused;
        }
        left.DecrementCount();
      });
    }
  });
  left.Wait();
  EXPECT_GT(refused, 0);
  EXPECT_GT(taken, 0U);
  EXPECT_EQ(stage->events(), taken);
  const auto rest = stage->Append(BatchOf(kAgent, "j", 1, kBatches > 256 ? 256 : kBatches));
  EXPECT_TRUE(rest.ok()) << rest.status();
  EXPECT_EQ(stage->Append(BatchOf(kOther, "k", 1, 500)).status().code(),
            absl::StatusCode::kResourceExhausted)
      << "one that is larger than all that may wait";
}

TEST_F(StoreTest, RefusesSearchesThatAreTooManyToWait) {
  auto stage = OpenWithAgents();
  ASSERT_TRUE(stage->Append(BatchOf(kAgent, "j", 1, 200)).ok());
  constexpr int kSearches = 2'000;
  absl::BlockingCounter left(kSearches);
  std::vector<int> answered;
  int refused = 0;
  stage->Do([&](Store& store) {
    for (int i = 0; i < kSearches; ++i) {
      store.Read({}, [&, i](const auto& events) {
        if (events.ok()) {
          answered.push_back(i);
        } else {
          EXPECT_EQ(events.status().code(), absl::StatusCode::kResourceExhausted);
          ++refused;
        }
        left.DecrementCount();
      });
    }
  });
  left.Wait();
  EXPECT_GT(refused, 0);
  EXPECT_GE(answered.size(), 64U);
  EXPECT_TRUE(std::is_sorted(answered.begin(), answered.end()));
}

TEST_F(StoreTest, ReadsWhatWasAcknowledged) {
  auto stage = OpenWithAgents();
  for (uint64_t i = 1; i <= 50; ++i) {
    ASSERT_TRUE(stage->Append(BatchOf(kAgent, "j", i, i)).ok());
    ASSERT_EQ(stage->Read({.limit = 1})->front().number(), i);
  }
}

TEST_F(StoreTest, KeepsTheNewestOfItsEvents) {
  options_.max_events = 100;
  auto stage = OpenWithAgents();
  for (uint64_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(stage->Append(BatchOf(kAgent, "j", i * 20 + 1, i * 20 + 20)).ok());
    ASSERT_LE(stage->events(), 100U);
  }
  const auto events = *stage->Read({.limit = 10'000});
  ASSERT_EQ(events.size(), 100U);
  EXPECT_EQ(events.front().number(), 301U);
  EXPECT_EQ(events.back().number(), 400U);
}

// Nobody writes meanwhile.
TEST_F(StoreTest, RemovesByItselfWhatALowerBoundMakesTooOld) {
  {
    auto stage = OpenWithAgents();
    for (uint64_t i = 0; i < 30; ++i) {
      ASSERT_TRUE(stage->Append(BatchOf(kAgent, "j", i * 200 + 1, i * 200 + 200)).ok());
    }
  }
  options_.max_events = 50;
  auto stage = Open();
  const absl::Time deadline = absl::Now() + kDeadline;
  while (stage->events() != 50 && absl::Now() < deadline) {
  }
  EXPECT_EQ(stage->events(), 50U);
  EXPECT_EQ(PlacesOf(*stage->Read({.limit = 10'000})).front(), 5'951U);
}

TEST_F(StoreTest, KeepsTheEventsOfAPairThatIsDropped) {
  auto stage = OpenWithAgents();
  ASSERT_TRUE(stage->Append(BatchOf(kAgent, "j", 1, 3)).ok());
  ASSERT_TRUE(stage->Write({DropPair{"web-1"}}).ok());
  EXPECT_EQ(stage->Append(BatchOf(kAgent, "j", 4, 4)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(NumbersIn(*stage->Read({.pairs = {"web-1"}})), ElementsAre(1, 2, 3));
}

TEST_F(StoreTest, WritesWhatWaitsAndAnswersNothingWhenItEnds) {
  bool answered = false;
  {
    auto stage = OpenWithAgents();
    stage->Do([&](Store& store) {
      for (uint64_t i = 1; i <= 300; ++i) {
        store.Append(BatchOf(kAgent, "j", i, i), [&](const auto&) { answered = true; });
      }
      store.Read({}, [&](const auto&) { answered = true; });
      stage->CloseHere();
    });
    stage->Settle();
  }
  EXPECT_FALSE(answered);
  EXPECT_EQ(Open()->events(), 300U);
}

TEST_F(StoreTest, MayBeEndedByAnAnswer) {
  auto stage = OpenWithAgents();
  absl::Notification over;
  int answers = 0;
  stage->Do([&](Store& store) {
    for (uint64_t i = 1; i <= 100; ++i) {
      store.Append(BatchOf(kAgent, "j", i, i), [&](const auto&) {
        if (++answers > 1) return;
        stage->CloseHere();
        over.Notify();
      });
    }
  });
  ASSERT_TRUE(over.WaitForNotificationWithTimeout(kDeadline));
  stage->Settle();
  EXPECT_EQ(answers, 1);
}

// Another program that holds the lock stands for a disk that refuses.
TEST_F(StoreTest, SaysWhyTheDiskTookNothingUntilItDoes) {
  auto stage = OpenWithAgents();
  auto other = OpenFile(options_.path);
  ASSERT_TRUE(other.ok());
  {
    auto lock = sqlite::Transaction::ToWrite(*other);
    ASSERT_TRUE(lock.ok());
    const absl::Status refused = stage->Append(BatchOf(kAgent, "j", 1, 2)).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
    EXPECT_THAT(stage->problem(), HasSubstr("another program holds it"));
    EXPECT_EQ(stage->events(), 0U);
    EXPECT_TRUE(stage->Read({})->empty()) << "history can be read all the same";
  }
  const auto again = stage->Append(BatchOf(kAgent, "j", 1, 2));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(PlacesOf(again->events), ElementsAre(1, 2));
  EXPECT_EQ(stage->problem(), "");
}

}  // namespace
}  // namespace zcluster::controller
