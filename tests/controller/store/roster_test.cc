// SPDX-License-Identifier: Apache-2.0
#include "controller/store/roster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/store/layout.h"
#include "tests/controller/store/stage.h"

namespace zcluster::controller {
namespace {

using test::AgentOf;
using testing::ElementsAre;
using testing::IsEmpty;

class RosterTest : public testing::Test {
 protected:
  void SetUp() override {
    auto database = OpenFile(directory_.path() + "/c.db");
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = std::make_unique<sqlite::Database>(*std::move(database));
    auto roster = Roster::Open(*database_);
    ASSERT_TRUE(roster.ok()) << roster.status();
    roster_ = std::make_unique<Roster>(*std::move(roster));
  }
  void Apply(const Change& change) {
    const absl::Status status = roster_->Apply(change);
    EXPECT_TRUE(status.ok()) << status;
  }
  Contents Read() {
    auto contents = roster_->Read();
    EXPECT_TRUE(contents.ok()) << contents.status();
    return *std::move(contents);
  }

  test::Directory directory_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<Roster> roster_;
};

TEST_F(RosterTest, HoldsNothingAtFirst) {
  const Contents contents = Read();
  EXPECT_THAT(contents.pairs, IsEmpty());
  EXPECT_THAT(contents.agents, IsEmpty());
  EXPECT_THAT(contents.tokens, IsEmpty());
  EXPECT_THAT(contents.operators, IsEmpty());
}

TEST_F(RosterTest, GivesBackAllOfEachRecord) {
  const PairRecord pair{"web-1", "AB:CD", {{"site", "paris"}, {"empty", ""}}};
  AgentRecord agent = AgentOf({"web-1", "lb1"});
  agent.journal = std::string(32, 'a');
  agent.events_taken = ~uint64_t{0};
  const TokenRecord token{
      "hash", "web-2", {{"a", "b"}}, absl::FromUnixNanos(5), absl::InfiniteFuture(), "was used"};
  const OperatorRecord anna{"anna", access::Right::kOperator, "EF"};
  Apply(PutPair{pair});
  Apply(PutAgent{agent});
  Apply(PutToken{token});
  Apply(PutOperator{anna});
  const Contents contents = Read();
  EXPECT_THAT(contents.pairs, ElementsAre(pair));
  EXPECT_THAT(contents.agents, ElementsAre(agent));
  EXPECT_THAT(contents.tokens, ElementsAre(token));
  EXPECT_THAT(contents.operators, ElementsAre(anna));
}

TEST_F(RosterTest, ReplacesARecordWithItsLabels) {
  Apply(PutPair{{"web-1", "old", {{"site", "paris"}, {"gone", "1"}}}});
  const PairRecord pair{"web-1", "new", {{"site", "oslo"}}};
  Apply(PutPair{pair});
  const TokenRecord used{"hash", "", {}, absl::UnixEpoch(), absl::UnixEpoch(), "was used"};
  Apply(PutToken{{"hash", "p", {{"a", "b"}}, absl::UnixEpoch(), absl::UnixEpoch(), ""}});
  Apply(PutToken{used});
  Apply(PutOperator{{"anna", access::Right::kViewer, "1"}});
  Apply(PutOperator{{"anna", access::Right::kAdmin, "2"}});
  const Contents contents = Read();
  EXPECT_THAT(contents.pairs, ElementsAre(pair));
  EXPECT_THAT(contents.tokens, ElementsAre(used));
  EXPECT_THAT(contents.operators, ElementsAre(OperatorRecord{"anna", access::Right::kAdmin, "2"}));
}

TEST_F(RosterTest, NeverSetsAnAgentsJournalBack) {
  Apply(PutAgent{AgentOf({"web-1", "lb1"})});
  ASSERT_TRUE(roster_->Advance({"web-1", "lb1"}, {"journal", 7}).ok());
  AgentRecord renewed = AgentOf({"web-1", "lb1"});
  renewed.key = "another";
  renewed.certificate_expires = absl::FromUnixSeconds(9'000);
  Apply(PutAgent{renewed});
  renewed.journal = "journal";
  renewed.events_taken = 7;
  EXPECT_THAT(Read().agents, ElementsAre(renewed));
}

TEST_F(RosterTest, DropsAPairWithItsAgentsAndNoOthers) {
  for (const char* name : {"web-1", "web-10"}) {
    Apply(PutPair{{name, "key", {{"a", "b"}}}});
    for (const char* node : {"lb1", "lb2"}) Apply(PutAgent{AgentOf({name, node})});
  }
  Apply(DropPair{"web-1"});
  const Contents contents = Read();
  EXPECT_THAT(contents.pairs, ElementsAre(PairRecord{"web-10", "key", {{"a", "b"}}}));
  EXPECT_THAT(contents.agents, ElementsAre(AgentOf({"web-10", "lb1"}), AgentOf({"web-10", "lb2"})));
  Apply(PutPair{{"web-1", "key", {}}});
  EXPECT_THAT(Read().pairs.front().labels, IsEmpty()) << "labels of the pair that was dropped";
}

TEST_F(RosterTest, DropsTheRestByTheirKeys) {
  Apply(PutAgent{AgentOf({"web-1", "lb1"})});
  Apply(PutAgent{AgentOf({"web-1", "lb2"})});
  Apply(PutToken{{"a", "", {{"x", "y"}}, absl::UnixEpoch(), absl::UnixEpoch(), ""}});
  Apply(PutOperator{{"anna", access::Right::kViewer, "1"}});
  Apply(DropAgent{{"web-1", "lb1"}});
  Apply(DropToken{"a"});
  Apply(DropOperator{"anna"});
  const Contents contents = Read();
  EXPECT_THAT(contents.agents, ElementsAre(AgentOf({"web-1", "lb2"})));
  EXPECT_THAT(contents.tokens, IsEmpty());
  EXPECT_THAT(contents.operators, IsEmpty());
}

TEST_F(RosterTest, DropsWhatIsNotThere) {
  for (const Change& change : {Change(DropPair{"a"}), Change(DropAgent{{"a", "b"}}),
                               Change(DropToken{"a"}), Change(DropOperator{"a"})}) {
    Apply(change);
  }
}

TEST_F(RosterTest, FindsAnAgentsPlaceOrNone) {
  EXPECT_FALSE((*roster_->Find({"web-1", "lb1"})).has_value());
  Apply(PutAgent{AgentOf({"web-1", "lb1"})});
  EXPECT_EQ((*roster_->Find({"web-1", "lb1"}))->taken, 0U);
  ASSERT_TRUE(roster_->Advance({"web-1", "lb1"}, {"j", 9}).ok());
  const auto place = *roster_->Find({"web-1", "lb1"});
  EXPECT_EQ(place->journal, "j");
  EXPECT_EQ(place->taken, 9U);
}

TEST_F(RosterTest, RefusesARightThatItDoesNotKnow) {
  ASSERT_TRUE(database_->Execute("INSERT INTO operators VALUES('anna', 'emperor', '')").ok());
  const absl::Status status = roster_->Read().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("c.db: an operator's right"));
}

}  // namespace
}  // namespace zcluster::controller
