// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/lifecycle/side.h"

namespace zcluster::lifecycle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using ConfigurationTest = TwoSides;

TEST_F(ConfigurationTest, IsAppliedOnBothNodesAsTheNextGeneration) {
  ASSERT_TRUE(Apply(lb1, WithVip("192.0.2.10/24")).ok());
  EXPECT_EQ(lb1.Disk(), lb2.Disk());
  EXPECT_THAT(lb2.Disk(), HasSubstr("192.0.2.10/24"));
  EXPECT_THAT(lb1.node.used, ElementsAre(2u));
  EXPECT_THAT(lb2.node.used, ElementsAre(2u));
  EXPECT_FALSE(lb2.HasProposal());
}

TEST_F(ConfigurationTest, IsAppliedFromTheBackupToo) {
  ASSERT_TRUE(Apply(lb2, WithVip("192.0.2.10/24")).ok());
  EXPECT_EQ(lb1.Disk(), lb2.Disk());
  EXPECT_EQ(lb1.configuration->present().generation(), 2u);
}

TEST_F(ConfigurationTest, ThatIsUnsoundChangesNothing) {
  const std::string before = lb1.Disk();
  const absl::Status end = Apply(lb1, WithVip("192.0.2.1/24"));
  EXPECT_THAT(std::string(end.message()),
              HasSubstr("vips[0].address: is '192.0.2.1', a node's own"));
  EXPECT_EQ(lb1.Disk(), before);
  EXPECT_EQ(lb2.Disk(), before);
}

TEST_F(ConfigurationTest, ThatKeepalivedRefusesOnThePeerChangesNothingAnywhere) {
  const std::string before = lb1.Disk();
  lb2.node.check = absl::InvalidArgumentError("keepalived says no");
  const absl::Status end = Apply(lb1, WithVip("192.0.2.10/24"));
  EXPECT_EQ(end.message(), "lb2: keepalived says no");
  EXPECT_EQ(lb1.Disk(), before);
  EXPECT_EQ(lb2.Disk(), before);
  EXPECT_THAT(lb1.node.used, IsEmpty());
}

TEST_F(ConfigurationTest, IsRefusedWhileThePeerCannotBeAsked) {
  const std::string before = lb1.Disk();
  lb2.deaf = true;
  const absl::Status end = Apply(lb1, WithVip("192.0.2.10/24"));
  EXPECT_EQ(end.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(end.message()), HasSubstr("lb2 cannot be asked"));
  EXPECT_EQ(lb1.Disk(), before);
}

TEST_F(ConfigurationTest, OfAFormerMasterIsRefused) {
  lb2.node.shown.term = core::Term{5};
  const std::string before = lb1.Disk();
  const absl::Status end = Apply(lb1, WithVip("192.0.2.10/24"));
  EXPECT_THAT(std::string(end.message()), HasSubstr("it comes from a former master"));
  EXPECT_EQ(lb1.Disk(), before);
  EXPECT_EQ(lb2.Disk(), before);
}

TEST_F(ConfigurationTest, MadeFromAnotherGenerationThanThePeersIsAConflict) {
  ASSERT_TRUE(Apply(lb1, WithVip("192.0.2.10/24")).ok());
  v1::ProposeRequest stale;
  stale.set_document(PairText(lb1.configuration->present()));
  stale.set_base(1);
  absl::Status end;
  lb2.configuration->Propose(stale, [&](const absl::Status& status) { end = status; });
  EXPECT_EQ(end.code(), absl::StatusCode::kAborted);
}

TEST_F(ConfigurationTest, WhosePeerMissesTheCommitIsTakenByItAfterwards) {
  lb2.before_commit = [this] { lb2.deaf = true; };
  const absl::Status end = Apply(lb1, WithVip("192.0.2.10/24"));
  ASSERT_TRUE(end.ok()) << end;
  EXPECT_THAT(steps, testing::Contains(HasSubstr("takes it as soon as it is back")));
  EXPECT_EQ(lb2.configuration->present().generation(), 1u);
  lb2.deaf = false;
  EXPECT_TRUE(RunUntil([&] { return lb2.Disk() == lb1.Disk(); }));
  EXPECT_THAT(lb2.node.used, ElementsAre(2u));
  EXPECT_FALSE(lb2.HasProposal());
}

TEST_F(ConfigurationTest, ThatWasDecidedSurvivesACrashOfWhoDecided) {
  // The other node's commit never comes, and the one that decided starts anew.
  lb2.before_commit = [this] { lb2.deaf = true; };
  ASSERT_TRUE(Apply(lb1, WithVip("192.0.2.10/24")).ok());
  lb1.Boot();
  lb2.Boot();
  lb2.deaf = false;
  EXPECT_TRUE(RunUntil([&] { return lb2.Disk() == lb1.Disk(); }));
  EXPECT_EQ(lb2.configuration->present().generation(), 2u);
}

TEST_F(ConfigurationTest, ThatWasOnlyProposedIsForgottenByACrash) {
  v1::PairConfig wanted = WithVip("192.0.2.10/24");
  wanted.set_generation(2);
  v1::ProposeRequest request;
  request.set_document(PairText(wanted));
  request.set_base(1);
  request.set_base_digest(Sha256(PairText(lb2.configuration->present())));
  bool kept = false;
  lb2.configuration->Propose(request, [&](const absl::Status& status) { kept = status.ok(); });
  ASSERT_TRUE(kept && lb2.HasProposal());
  lb2.Boot();
  EXPECT_EQ(lb2.configuration->present().generation(), 1u);
  ASSERT_TRUE(Apply(lb1, WithVip("192.0.2.11/24")).ok());
  EXPECT_EQ(lb2.Disk(), lb1.Disk());
  EXPECT_THAT(lb2.Disk(), testing::Not(HasSubstr("192.0.2.10/24")));
}

TEST_F(ConfigurationTest, IsNotCommittedByAnotherDigest) {
  v1::PairConfig wanted = WithVip("192.0.2.10/24");
  wanted.set_generation(2);
  v1::ProposeRequest request;
  request.set_document(PairText(wanted));
  request.set_base(1);
  request.set_base_digest(Sha256(PairText(lb2.configuration->present())));
  lb2.configuration->Propose(request, [](const absl::Status&) {});
  v1::CommitRequest commit;
  commit.set_generation(2);
  commit.set_digest("another");
  absl::Status end;
  lb2.configuration->Commit(commit, [&](const absl::Status& status) { end = status; });
  EXPECT_EQ(end.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(lb2.configuration->present().generation(), 1u);
}

TEST_F(ConfigurationTest, LowersTheIntervalOnTheMasterFirst) {
  std::vector<std::string> order;
  lb1.node.on_use = [&] { order.push_back("lb1"); };
  lb2.node.on_use = [&] { order.push_back("lb2"); };
  ASSERT_TRUE(Apply(lb1, WithInterval(100)).ok());
  EXPECT_THAT(order, ElementsAre("lb1", "lb2"));
  order.clear();
  ASSERT_TRUE(Apply(lb2, WithInterval(50)).ok());
  EXPECT_THAT(order, ElementsAre("lb1", "lb2"));
}

TEST_F(ConfigurationTest, RaisesTheIntervalOnTheBackupFirst) {
  std::vector<std::string> order;
  lb1.node.on_use = [&] { order.push_back("lb1"); };
  lb2.node.on_use = [&] { order.push_back("lb2"); };
  ASSERT_TRUE(Apply(lb1, WithInterval(2000)).ok());
  EXPECT_THAT(order, ElementsAre("lb2", "lb1"));
  order.clear();
  ASSERT_TRUE(Apply(lb2, WithInterval(3000)).ok());
  EXPECT_THAT(order, ElementsAre("lb2", "lb1"));
}

TEST_F(ConfigurationTest, TellsOfTheOtherOfTwoChangesAtOnce) {
  int ended = 0;
  absl::Status first, second;
  lb1.configuration->Apply(
      WithVip("192.0.2.10/24"), [](const std::string&) {},
      [&](const absl::Status& status) {
        first = status;
        ++ended;
      });
  lb1.configuration->Apply(
      WithVip("192.0.2.11/24"), [](const std::string&) {},
      [&](const absl::Status& status) {
        second = status;
        ++ended;
      });
  ASSERT_TRUE(RunUntil([&] { return ended == 2; }));
  EXPECT_TRUE(first.ok()) << first;
  EXPECT_EQ(second.code(), absl::StatusCode::kAborted);
}

TEST_F(ConfigurationTest, MadeWhereNobodyFollowedIsSetAsideForTheLaterTerm) {
  // As after a split in which each side was changed: the later term's counts.
  v1::PairConfig mine = WithVip("192.0.2.10/24");
  mine.set_generation(2);
  ASSERT_TRUE(WriteFileDurably(lb2.paths.pair_file, PairText(mine), 0644).ok());
  v1::PairConfig theirs = WithVip("192.0.2.11/24");
  theirs.set_generation(2);
  theirs.set_term(3);
  ASSERT_TRUE(WriteFileDurably(lb1.paths.pair_file, PairText(theirs), 0644).ok());
  lb1.Boot();
  lb2.Boot();
  EXPECT_TRUE(RunUntil([&] { return lb2.Disk() == lb1.Disk(); }));
  EXPECT_THAT(ReadFile(lb2.paths.pair_file + ".lost-1-2").value_or(""), HasSubstr("192.0.2.10/24"));
}

TEST_F(ConfigurationTest, MadeApartUnderOneNumberEndsAsOneOnBoth) {
  // The link was cut, and each side decided alone: one number, two documents.
  for (Side* side : {&lb1, &lb2}) {
    side->deaf = true;
  }
  int ended = 0;
  const auto count = [&](const absl::Status& status) { ended += status.ok() ? 1 : 0; };
  lb1.configuration->ApplyEvenAlone(
      WithVip("192.0.2.10/24"), [](const std::string&) {}, count);
  lb2.configuration->ApplyEvenAlone(
      WithVip("192.0.2.11/24"), [](const std::string&) {}, count);
  ASSERT_TRUE(RunUntil([&] { return ended == 2; }));
  EXPECT_EQ(lb1.configuration->present().generation(), 2u);
  EXPECT_EQ(lb2.configuration->present().generation(), 2u);
  lb1.deaf = lb2.deaf = false;
  EXPECT_TRUE(RunUntil([&] { return lb1.Disk() == lb2.Disk(); }));
}

v1::PairConfig WithOperators(v1::PairConfig config, const std::vector<std::string>& names) {
  config.clear_operators();
  for (const std::string& name : names) {
    auto& one = *config.add_operators();
    one.set_name(name);
    one.set_role(v1::RIGHT_VIEWER);
    one.set_key("SHA256:" + std::string(43, name.front()));
  }
  return config;
}

TEST_F(ConfigurationTest, ARevocationOnEitherSideOfACutStands) {
  ASSERT_TRUE(
      Apply(lb1, WithOperators(lb1.configuration->present(), {"anna", "bob", "carol"})).ok());
  for (Side* side : {&lb1, &lb2}) {
    side->deaf = true;
  }
  int ended = 0;
  const auto count = [&](const absl::Status& status) { ended += status.ok() ? 1 : 0; };
  const v1::PairConfig before = lb1.configuration->present();
  lb1.configuration->ApplyEvenAlone(
      WithOperators(before, {"anna", "carol"}), [](const std::string&) {}, count);
  lb2.configuration->ApplyEvenAlone(
      WithOperators(before, {"anna", "bob"}), [](const std::string&) {}, count);
  ASSERT_TRUE(RunUntil([&] { return ended == 2; }));
  lb1.deaf = lb2.deaf = false;
  EXPECT_TRUE(RunUntil([&] {
    return lb1.Disk() == lb2.Disk() && lb1.configuration->present().operators_size() == 1;
  })) << lb1.Disk()
      << lb2.Disk();
  EXPECT_EQ(lb1.configuration->present().operators(0).name(), "anna");
}

TEST_F(ConfigurationTest, ThatCannotBeUsedYetIsSaidSoAndUsedLater) {
  lb1.node.use = absl::UnavailableError("keepalived is slow today");
  const absl::Status end = Apply(lb1, WithVip("192.0.2.10/24"));
  EXPECT_EQ(end.code(), absl::StatusCode::kUnknown) << end;
  EXPECT_EQ(lb1.Disk(), lb2.Disk()) << "it was decided";
  lb1.node.use = absl::OkStatus();
  EXPECT_TRUE(RunUntil([&] { return lb1.node.used == std::vector<uint64_t>{2}; }));
}

TEST_F(ConfigurationTest, IsNotRaisedOnTheMasterWhileTheBackupHasNotRaisedIt) {
  lb2.before_commit = [this] { lb2.deaf = true; };
  const absl::Status end = Apply(lb1, WithInterval(2000));
  EXPECT_EQ(end.code(), absl::StatusCode::kUnknown) << end;
  EXPECT_THAT(lb1.node.used, IsEmpty());
  lb2.deaf = false;
  EXPECT_TRUE(RunUntil([&] { return !lb2.node.used.empty() && !lb1.node.used.empty(); }));
}

TEST_F(ConfigurationTest, WhoseMemberEndsMeanwhileTellsWhoWaits) {
  absl::Status end;
  lb1.configuration->Apply(
      WithVip("192.0.2.10/24"), [](const std::string&) {},
      [&](const absl::Status& status) { end = status; });
  lb1.configuration.reset();
  EXPECT_EQ(end.code(), absl::StatusCode::kUnavailable);
  lb1.Boot();
}

TEST_F(ConfigurationTest, MayBeDecidedAloneWhereThatIsAsked) {
  lb2.deaf = true;
  bool done = false;
  lb1.configuration->ApplyEvenAlone(
      WithVip("192.0.2.10/24"), [](const std::string&) {},
      [&](const absl::Status& status) { done = status.ok(); });
  ASSERT_TRUE(RunUntil([&] { return done; }));
  lb2.deaf = false;
  EXPECT_TRUE(RunUntil([&] { return lb2.Disk() == lb1.Disk(); }));
}

}  // namespace
}  // namespace zcluster::lifecycle
