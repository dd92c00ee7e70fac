// SPDX-License-Identifier: Apache-2.0
// A real file system that is full, and has room again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "common/sqlite.h"
#include "controller/store/store.h"
#include "tests/controller/store/stage.h"
#include "tests/support/small_disk.h"

namespace zcluster::controller {
namespace {

using test::AgentOf;
using test::BatchOf;
using test::NumbersIn;
using test::Stage;
using testing::ElementsAre;
using testing::HasSubstr;

const AgentId kAgent{"web-1", "lb1"};

class DiskFullTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!zcluster::test::SmallDisk::Possible()) GTEST_SKIP() << "needs root";
    disk_ = std::make_unique<zcluster::test::SmallDisk>(8);
    options_.path = disk_->path() + "/controller.db";
  }
  // The next batch of the agent, of 20 events. Taken: it counts as acknowledged.
  absl::Status AppendNext(Stage& stage) {
    auto appended = stage.Append(BatchOf(kAgent, "j", acknowledged_ + 1, acknowledged_ + 20));
    if (appended.ok()) acknowledged_ = appended->taken;
    return appended.status();
  }
  // Each acknowledged event is there, once, and in order.
  void ExpectWhole(Stage& stage) {
    const auto events = stage.Read({.limit = 10'000, .newest = false});
    ASSERT_TRUE(events.ok()) << events.status();
    std::vector<uint64_t> expected(acknowledged_);
    for (uint64_t i = 0; i < acknowledged_; ++i) expected[i] = i + 1;
    EXPECT_EQ(NumbersIn(*events), expected);
    EXPECT_EQ(stage.events(), acknowledged_);
  }

  std::unique_ptr<zcluster::test::SmallDisk> disk_;
  Store::Options options_;
  uint64_t acknowledged_ = 0;
};

TEST_F(DiskFullTest, FailsWhatItCannotKeepAndGoesOnWhenThereIsRoom) {
  {
    Stage stage(options_);
    ASSERT_TRUE(stage.status().ok()) << stage.status();
    ASSERT_TRUE(stage.Write({PutAgent{AgentOf(kAgent)}}).ok());
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(AppendNext(stage).ok());
    for (int round = 0; round < 3; ++round) {
      disk_->Fill();
      absl::Status status;
      // What the log has room for already is still taken.
      for (int i = 0; i < 1'000 && status.ok(); ++i) status = AppendNext(stage);
      ASSERT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
      EXPECT_THAT(std::string(status.message()),
                  testing::AllOf(HasSubstr(options_.path), HasSubstr("the disk is full")));
      EXPECT_THAT(stage.problem(), HasSubstr("the disk is full"));
      EXPECT_FALSE(stage.Write({PutPair{{"web-2", std::string(100'000, 'k'), {}}}}).ok());
      ExpectWhole(stage);
      disk_->MakeRoom();
      for (int i = 0; i < 10; ++i) {
        status = AppendNext(stage);
        ASSERT_TRUE(status.ok()) << status;
      }
      EXPECT_EQ(stage.problem(), "");
      ASSERT_TRUE(stage.Write({PutPair{{"web-1", absl::StrCat("round ", round), {}}}}).ok());
    }
    ExpectWhole(stage);
  }
  Stage again(options_);
  ASSERT_TRUE(again.status().ok()) << again.status();
  ExpectWhole(again);
  again.Do([&](Store& store) {
    EXPECT_THAT(store.contents().pairs, ElementsAre(PairRecord{"web-1", "round 2", {}}));
    ASSERT_EQ(store.contents().agents.size(), 1U);
    EXPECT_EQ(store.contents().agents[0].events_taken, acknowledged_);
  });
}

// Many agents at once, none of whom waits: each batch is either acknowledged and there, or failed
// and not there.
TEST_F(DiskFullTest, TellsEachOfManyWhatBecameOfIt) {
  constexpr int kAgents = 40;
  std::map<AgentId, uint64_t> taken;
  std::vector<Change> changes;
  for (int i = 0; i < kAgents; ++i) {
    const AgentId agent{absl::StrCat("p", i), "n"};
    taken[agent] = 0;
    changes.push_back(PutAgent{AgentOf(agent)});
  }
  {
    Stage stage(options_);
    ASSERT_TRUE(stage.Write(changes).ok());
    int failed = 0;
    for (int round = 0; round < 30; ++round) {
      if (round == 10) disk_->Fill();
      if (round == 20) disk_->MakeRoom();
      absl::Notification over;
      stage.Do([&](Store& store) {
        for (auto& [agent, last] : taken) {
          for (uint64_t batch = 0; batch < 5; ++batch) {
            const uint64_t first = last + 1 + batch * 10;
            Store::Batch next = BatchOf(agent, "j", first, first + 9);
            next.after = first - 1;
            store.Append(std::move(next), [&, id = agent](const auto& answer) {
              if (answer.ok()) {
                taken[id] = answer->taken;
                EXPECT_EQ(answer->lost, 0U);
              } else {
                ++failed;
              }
            });
          }
        }
        store.Write({}, [&](const auto&) { over.Notify(); });
      });
      ASSERT_TRUE(over.WaitForNotificationWithTimeout(test::kDeadline));
    }
    EXPECT_GT(failed, 0);
  }
  Stage again(options_);
  ASSERT_TRUE(again.status().ok()) << again.status();
  for (const auto& [agent, last] : taken) {
    EXPECT_GT(last, 500U);
    const auto events = again.Read({.pairs = {agent.pair}, .limit = 10'000});
    ASSERT_TRUE(events.ok());
    ASSERT_EQ(events->size(), last) << agent.Name();
    for (uint64_t i = 0; i < last; ++i) EXPECT_EQ((*events)[i].event().number(), i + 1);
  }
}

TEST_F(DiskFullTest, IsNotMadeOnADiskThatIsFull) {
  disk_->Fill();
  {
    const Stage stage(options_);
    EXPECT_EQ(stage.status().code(), absl::StatusCode::kResourceExhausted) << stage.status();
    EXPECT_THAT(std::string(stage.status().message()), HasSubstr("the disk is full"));
  }
  disk_->MakeRoom();
  Stage stage(options_);
  ASSERT_TRUE(stage.status().ok()) << stage.status();
  ASSERT_TRUE(stage.Write({PutAgent{AgentOf(kAgent)}}).ok());
}

TEST_F(DiskFullTest, IsNotOpenedOnADiskThatIsFullAndKeepsWhatItHas) {
  {
    Stage stage(options_);
    ASSERT_TRUE(stage.Write({PutAgent{AgentOf(kAgent)}}).ok());
    ASSERT_TRUE(AppendNext(stage).ok());
  }
  disk_->Fill();
  {
    const Stage full(options_);
    EXPECT_EQ(full.status().code(), absl::StatusCode::kResourceExhausted) << full.status();
  }
  disk_->MakeRoom();
  Stage again(options_);
  ASSERT_TRUE(again.status().ok()) << again.status();
  ExpectWhole(again);
}

}  // namespace
}  // namespace zcluster::controller
