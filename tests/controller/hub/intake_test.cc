// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/intake.h"

#include <gmock/gmock.h>

#include "tests/controller/hub/house.h"
#include "tests/support/loop_thread.h"

namespace zcluster::controller {
namespace {

using testing::ElementsAre;

constexpr absl::Duration kForEver = absl::Seconds(20);

class IntakeTest : public testing::Test {
 protected:
  IntakeTest() {
    for (const char* node : {"lb1", "lb2"}) {
      AgentRecord agent;
      agent.id = {"web-1", node};
      store_.kept.agents.push_back(agent);
    }
    Do([this] {
      intake_ = std::make_unique<Intake>(
          loop_.loop(), store_,
          Intake::Told{
              [this](const AgentId& agent, const std::string&, uint64_t taken, size_t) {
                taken_[agent] = taken;
              },
              [this](const AgentId&, uint64_t count) { lost_ += count; },
              [this](const std::vector<v1::FleetEvent>& events) { grown_ += events.size(); },
              [this](const AgentId& agent, const absl::Status& why) {
                EXPECT_EQ(why.code(), absl::StatusCode::kUnavailable);
                again_.push_back(agent);
                intake_->End(agent);
              }});
      intake_->Begin(lb1_, "j1");
      intake_->Begin(lb2_, "j2");
    });
  }
  ~IntakeTest() override {
    Do([this] { intake_.reset(); });
  }
  void Do(const std::function<void()>& task) { loop_.Do(task); }
  // Waits until it holds on the loop.
  bool Wait(const std::function<bool()>& holds) {
    const absl::Time end = absl::Now() + kForEver;
    while (absl::Now() < end) {
      bool yes = false;
      Do([&] { yes = holds(); });
      if (yes) return true;
    }
    return false;
  }

  const AgentId lb1_{"web-1", "lb1"};
  const AgentId lb2_{"web-1", "lb2"};
  FakeStore store_;
  std::map<AgentId, uint64_t> taken_;
  uint64_t lost_ = 0;
  uint64_t grown_ = 0;
  std::vector<AgentId> again_;
  std::unique_ptr<Intake> intake_;
  test::LoopThread loop_;
};

TEST_F(IntakeTest, AcknowledgesWhatIsOnTheDiskAndNothingBefore) {
  Do([this] {
    store_.at_once = false;
    intake_->Take(lb1_, House::Batch(1, 3));
    EXPECT_EQ(taken_[lb1_], 0U);
    store_.Answer();
    EXPECT_EQ(taken_[lb1_], 3U);
    EXPECT_EQ(grown_, 3U);
    EXPECT_EQ(intake_->bytes(), 0U);
  });
}

TEST_F(IntakeTest, LetsOneBatchOfAnAgentGoAfterTheOther) {
  Do([this] {
    store_.at_once = false;
    intake_->Take(lb1_, House::Batch(1, 1));
    intake_->Take(lb1_, House::Batch(2, 2));
    intake_->Take(lb2_, House::Batch(1, 1));
    EXPECT_EQ(store_.appends, 2) << "those of different agents side by side";
    store_.fails = absl::InternalError("disk full");
    store_.Answer(2);
    EXPECT_EQ(store_.appends, 2) << "what came behind a failed write must wait";
  });
}

TEST_F(IntakeTest, LosesAndRepeatsNothingOverAFullDisk) {
  Do([this] {
    store_.fails = absl::InternalError("disk full");
    intake_->Take(lb1_, House::Batch(1, 2));
    intake_->Take(lb1_, House::Batch(3, 4));
    intake_->Take(lb2_, House::Batch(1, 2));
    EXPECT_EQ(taken_[lb1_], 0U);
    store_.fails = absl::OkStatus();
  });
  ASSERT_TRUE(Wait([this] { return taken_[lb1_] == 4 && taken_[lb2_] == 2; }));
  Do([this] {
    EXPECT_EQ(store_.all.size(), 6U);
    EXPECT_EQ(lost_, 0U);
    EXPECT_EQ(intake_->bytes(), 0U);
    EXPECT_TRUE(again_.empty());
  });
}

TEST_F(IntakeTest, HoldsABoundAndAsksAgainForWhatDidNotFit) {
  Do([this] {
    store_.fails = absl::InternalError("disk full");
    for (uint64_t i = 0; i < 1000; ++i)
      intake_->Take(lb1_, House::Batch(1 + i * 10, 10 + i * 10, 10'000));
    EXPECT_LE(intake_->bytes(), Intake::kMaxBytes);
    EXPECT_TRUE(again_.empty()) << "not while the disk takes nothing";
    store_.fails = absl::OkStatus();
  });
  ASSERT_TRUE(Wait([this] { return !again_.empty(); }));
  Do([this] {
    EXPECT_THAT(again_, ElementsAre(lb1_));
    EXPECT_EQ(taken_[lb1_], 10 * Intake::kMaxBatches) << "what was kept, without a gap";
    EXPECT_EQ(lost_, 0U);
    // It comes back, and tells from there on.
    intake_->Begin(lb1_, "j1");
    intake_->Take(lb1_, House::Batch(41, 50));
    EXPECT_EQ(taken_[lb1_], 50U);
    EXPECT_EQ(store_.all.size(), 50U);
  });
}

TEST_F(IntakeTest, KeepsTheWholeFleetWithinItsBound) {
  Do([this] {
    store_.fails = absl::InternalError("disk full");
    for (int i = 0; i < 500; ++i) {
      const AgentId agent{absl::StrCat("p", i), "n"};
      intake_->Begin(agent, "j");
      intake_->Take(agent, House::Batch(1, 10, 10'000));
    }
    EXPECT_LE(intake_->bytes(), Intake::kMaxBytes);
    EXPECT_GT(intake_->bytes(), Intake::kMaxBytes / 2);
    for (int i = 0; i < 500; ++i) intake_->End({absl::StrCat("p", i), "n"});
    EXPECT_EQ(intake_->bytes(), 0U);
  });
}

TEST_F(IntakeTest, ToleratesAnswersForWhoeverHasGone) {
  Do([this] {
    store_.at_once = false;
    intake_->Take(lb1_, House::Batch(1, 1));
    intake_->End(lb1_);
    intake_->Begin(lb1_, "j1");
    intake_->Take(lb1_, House::Batch(1, 2));
    store_.Answer(2);
    EXPECT_EQ(taken_[lb1_], 2U);
    EXPECT_EQ(store_.all.size(), 2U) << "told twice, kept once";
    EXPECT_EQ(intake_->bytes(), 0U);
    intake_->Take(lb1_, House::Batch(3, 3));
    intake_.reset();
    store_.Answer();
  });
}

TEST_F(IntakeTest, CountsWhatAnAgentDroppedBeforeWeHadIt) {
  Do([this] {
    intake_->Take(lb1_, House::Batch(5, 6));
    EXPECT_EQ(lost_, 4U);
    EXPECT_EQ(taken_[lb1_], 6U);
  });
}

TEST_F(IntakeTest, KeepsOurOwnEventsOverAFullDisk) {
  Do([this] {
    store_.fails = absl::InternalError("disk full");
    v1::Event event;
    event.set_name("agent_lost");
    intake_->Own("web-1", event);
    event.set_name("agent_returned");
    intake_->Own("web-1", event);
    store_.fails = absl::OkStatus();
  });
  ASSERT_TRUE(Wait([this] { return store_.all.size() == 2; }));
  Do([this] { EXPECT_THAT(store_.Names(), ElementsAre("agent_lost", "agent_returned")); });
}

TEST_F(IntakeTest, ForgetsWhatIsOfAnAgentThatWasForgotten) {
  Do([this] {
    store_.kept.agents.clear();
    intake_->Take(lb1_, House::Batch(1, 1));
    EXPECT_EQ(intake_->bytes(), 0U);
    EXPECT_TRUE(store_.all.empty());
  });
}

}  // namespace
}  // namespace zcluster::controller
