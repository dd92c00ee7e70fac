// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/ledger.h"

#include <gmock/gmock.h>

#include "tests/controller/hub/fakes.h"

namespace zcluster::controller {
namespace {

using testing::HasSubstr;

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { store_.at_once = false; }
  Ledger::Decide Put(const std::string& pair) {
    return [pair] { return std::vector<Change>{PutPair{{pair, "key", {}}}}; };
  }
  Store::Done Note() {
    return [this](const absl::Status& status) { done_.push_back(status); };
  }

  FakeStore store_;
  int applied_ = 0;
  std::vector<absl::Status> done_;
  std::unique_ptr<Ledger> ledger_ =
      std::make_unique<Ledger>(store_, [this](const Change&) { ++applied_; });
};

TEST_F(LedgerTest, IsTrueOnlyOnceItIsOnTheDisk) {
  ledger_->Transact(Put("a"), Note());
  EXPECT_EQ(ledger_->FindPair("a"), nullptr);
  EXPECT_TRUE(done_.empty());
  store_.Answer();
  EXPECT_NE(ledger_->FindPair("a"), nullptr);
  EXPECT_EQ(applied_, 1);
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_TRUE(done_[0].ok());
}

TEST_F(LedgerTest, DecidesEachFromWhatTheOneBeforeHasLeft) {
  ledger_->Transact(Put("a"), Note());
  ledger_->Transact(
      [this]() -> absl::StatusOr<std::vector<Change>> {
        if (ledger_->FindPair("a") != nullptr) return absl::AlreadyExistsError("there is one");
        return std::vector<Change>{PutPair{{"a", "other", {}}}};
      },
      Note());
  EXPECT_EQ(store_.writes, 1) << "the second waits";
  store_.Answer();
  ASSERT_EQ(done_.size(), 2U);
  EXPECT_EQ(done_[1].code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ledger_->FindPair("a")->ca_key, "key");
}

TEST_F(LedgerTest, SaysThatTheDiskDidNotTakeItAndTriesTheNext) {
  store_.fails = absl::ResourceExhaustedError("no space left on device");
  ledger_->Transact(Put("a"), Note());
  ledger_->Transact(Put("b"), Note());
  store_.Answer();
  store_.fails = absl::OkStatus();
  store_.Answer();
  ASSERT_EQ(done_.size(), 2U);
  EXPECT_EQ(done_[0].code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(done_[0].message()), HasSubstr("no space left on device"));
  EXPECT_TRUE(done_[1].ok());
  EXPECT_EQ(ledger_->FindPair("a"), nullptr);
  EXPECT_NE(ledger_->FindPair("b"), nullptr);
}

TEST_F(LedgerTest, IsBoundedBeforeADiskThatHangs) {
  for (size_t i = 0; i <= Ledger::kMaxWaiting + 1; ++i) ledger_->Transact(Put("a"), Note());
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(LedgerTest, ToleratesAnAnswerAfterItsEnd) {
  ledger_->Transact(Put("a"), Note());
  ledger_.reset();
  store_.Answer();
  EXPECT_TRUE(done_.empty());
}

TEST_F(LedgerTest, KeepsWhatTheStoreKnowsOfTheEvents) {
  store_.at_once = true;
  AgentRecord agent;
  agent.id = {"a", "n"};
  agent.key = "k1";
  ledger_->Transact([&] { return std::vector<Change>{PutAgent{agent}}; }, Note());
  ledger_->Taken(agent.id, "j", 7);
  agent.key = "k2";
  ledger_->Transact([&] { return std::vector<Change>{PutAgent{agent}}; }, Note());
  EXPECT_EQ(ledger_->FindAgent(agent.id)->key, "k2");
  EXPECT_EQ(ledger_->FindAgent(agent.id)->events_taken, 7U);
}

TEST_F(LedgerTest, FindsTheAgentsOfAPairAndNoOthers) {
  store_.at_once = true;
  std::vector<Change> changes;
  for (const AgentId& id : {AgentId{"a", "x"}, AgentId{"a", "y"}, AgentId{"a-1", "z"},
                            AgentId{"", "q"}, AgentId{"b", "x"}}) {
    AgentRecord agent;
    agent.id = id;
    changes.push_back(PutAgent{agent});
  }
  ledger_->Transact([&] { return changes; }, Note());
  ASSERT_EQ(ledger_->AgentsOf("a").size(), 2U);
  EXPECT_EQ(ledger_->AgentsOf("a")[1]->id.node, "y");
  ledger_->Transact([&] { return std::vector<Change>{DropPair{"a"}}; }, Note());
  EXPECT_TRUE(ledger_->AgentsOf("a").empty());
  EXPECT_EQ(ledger_->AgentsOf("a-1").size(), 1U);
}

}  // namespace
}  // namespace zcluster::controller
