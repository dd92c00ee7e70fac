// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/changes.h"

#include "agent/conntrack/digest.h"
#include "tests/agent/conntrack/netns.h"
#include "tests/agent/conntrack/variants.h"

namespace zcluster::conntrack {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

class ChangesTest : public testing::Test {
 protected:
  // The peer has everything: the snapshot, of `flows`, is taken.
  void GoLive(const std::vector<Flow>& flows = {}) {
    changes_.BeginSnapshot();
    EXPECT_TRUE(changes_.AddFound(flows, kStart));
    changes_.EndSnapshot();
    EXPECT_TRUE(changes_.Take(1000, batch_));
    EXPECT_TRUE(batch_.snapshot_begins && batch_.snapshot_ends);
    EXPECT_FALSE(changes_.Take(1000, batch_));
  }

  void Add(const Flow& flow, absl::Time now = kStart) { EXPECT_TRUE(changes_.Add({flow}, now)); }

  std::vector<std::string> Take(size_t most = 1000) {
    changes_.Take(most, batch_);
    std::vector<std::string> texts;
    for (const Flow& flow : batch_.flows) {
      texts.push_back(flow.gone ? absl::StrCat("gone ", Text(flow.key)) : Describe(flow));
    }
    return texts;
  }

  int told_ = 0;
  Changes changes_{[this] { ++told_; }};
  Changes::Batch batch_;
  const Flow flow_ = Natted(0);
  const std::vector<std::string> nothing_;
};

TEST_F(ChangesTest, IgnoresEventsBeforeTheFirstSnapshotAndAfterStop) {
  Add(flow_);
  EXPECT_EQ(Take(), nothing_);
  GoLive();
  changes_.Stop();
  Add(flow_);
  EXPECT_EQ(Take(), nothing_);
  EXPECT_FALSE(changes_.AddFound({flow_}, kStart));
}

TEST_F(ChangesTest, SendsTheStateOfNowOnce) {
  GoLive();
  Flow flow = flow_;
  Add(flow);
  flow.tcp.state = TCP_CONNTRACK_FIN_WAIT;
  Add(flow);
  flow.mark = 3;
  Add(Partial(flow));  // what an update leaves out stays as it was
  EXPECT_EQ(Take(), std::vector<std::string>{Describe(flow)});
  EXPECT_EQ(Take(), nothing_);
}

TEST_F(ChangesTest, WhatFewHaveIsSentWholeThoughEventsTellItInParts) {
  GoLive({WithShift(WithHelper(flow_, "ftp"), 5)});
  Add(WithLabels(WithHelper(flow_, "ftp"), 1));
  const Flow whole = WithLabels(WithShift(WithHelper(flow_, "ftp"), 5), 1);
  EXPECT_EQ(Take(), std::vector<std::string>{Describe(whole)});
  EXPECT_EQ(batch_.digest, DigestOf(whole));
  Add(WithHelper(flow_, "ftp"));
  Add(WithShift(WithHelper(flow_, "ftp"), 6));
  EXPECT_EQ(Take(), std::vector<std::string>{
                        Describe(WithLabels(WithShift(WithHelper(flow_, "ftp"), 6), 1))});
  Add(Gone(flow_));
  EXPECT_EQ(Take().size(), 1U);
  EXPECT_EQ(batch_.digest, 0U);
  Add(flow_);
  EXPECT_EQ(Take(), std::vector<std::string>{Describe(flow_)});
}

TEST_F(ChangesTest, AnotherLifeOfAFlowHasNothingOfTheFirst) {
  GoLive({WithShift(flow_, 5)});
  Add(Gone(flow_));
  Add(flow_);  // the kernel may give it the same id
  EXPECT_EQ(Take(), std::vector<std::string>{Describe(flow_)});
}

TEST_F(ChangesTest, ASnapshotBringsWhatEventsDidNotTell) {
  changes_.BeginSnapshot();
  Flow udp = Plain(Key(IPPROTO_UDP, "198.51.100.7", 1, "192.0.2.10", 2));
  Add(WithLabels(udp, 2));
  Add(Partial(flow_));
  const Flow sctp = Sctp(Key(IPPROTO_SCTP, "198.51.100.7", 1, "192.0.2.10", 2));
  Flow partial = sctp;
  partial.rare = nullptr;
  partial.mark = 6;
  Add(partial);
  EXPECT_TRUE(changes_.AddFound(
      {WithLabels(WithMaster(udp, flow_.key), 1), WithShift(flow_, 3), sctp}, kStart));
  changes_.EndSnapshot();
  std::vector<std::string> told = Take();
  std::sort(told.begin(), told.end());
  Flow marked = sctp;
  marked.mark = 6;
  std::vector<std::string> expected = {Describe(WithLabels(WithMaster(udp, flow_.key), 2)),
                                       Describe(WithShift(flow_, 3)), Describe(marked)};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(told, expected);
}

TEST_F(ChangesTest, AFlowThatCameAndWentIsNeverSent) {
  GoLive();
  Add(flow_);
  Add(Gone(flow_));
  EXPECT_EQ(Take(), nothing_);
  EXPECT_EQ(changes_.Flows(), 0U);
}

TEST_F(ChangesTest, TheEndOfAFlowThatWasSentIsSent) {
  GoLive({flow_});
  EXPECT_EQ(changes_.Flows(), 1U);
  Add(flow_);
  Add(Gone(flow_));
  EXPECT_EQ(Take(), std::vector<std::string>{absl::StrCat("gone ", Text(flow_.key))});
  EXPECT_EQ(changes_.Flows(), 0U);
}

TEST_F(ChangesTest, ALateEndDoesNotEndTheNextFlowOfThatKey) {
  GoLive();
  Flow old = flow_, young = flow_;
  old.id = 1;
  young.id = 2;
  Add(old);
  Add(young);
  Add(Gone(old));
  EXPECT_EQ(Take(), std::vector<std::string>{Describe(young)});
  Add(Gone(young));
  EXPECT_EQ(Take().size(), 1U);
}

TEST_F(ChangesTest, AFlowThatCameBackIsSentAsItIsNow) {
  GoLive({flow_});
  Flow again = Natted(0, "10.1.0.3");
  Add(Gone(flow_));
  Add(again);
  EXPECT_EQ(Take(), std::vector<std::string>{Describe(again)});
}

TEST_F(ChangesTest, EventsDuringASnapshotWinOverWhatItFound) {
  Flow newer = flow_;
  newer.mark = 9;
  changes_.BeginSnapshot();
  Add(newer);
  Add(Gone(Natted(1)));
  changes_.AddFound({flow_, Natted(1), Natted(2)}, kStart);
  EXPECT_EQ(Take(), (std::vector<std::string>{Describe(newer), Describe(Natted(2))}));
  EXPECT_TRUE(batch_.snapshot_begins);
  EXPECT_FALSE(batch_.snapshot_ends);
  EXPECT_TRUE(changes_.SnapshotOpen());
  changes_.EndSnapshot();
  EXPECT_EQ(Take(), nothing_);
  EXPECT_TRUE(batch_.snapshot_ends);
  EXPECT_FALSE(changes_.SnapshotOpen());
}

TEST_F(ChangesTest, ASnapshotFillsInWhatAnUpdateLeftOut) {
  Flow newer = flow_;
  newer.mark = 9;
  changes_.BeginSnapshot();
  Add(Partial(newer));
  Take();
  EXPECT_TRUE(batch_.flows.empty());  // a TCP flow without its state is of no use to the peer
  changes_.AddFound({flow_}, kStart);
  EXPECT_EQ(Take(), std::vector<std::string>{Describe(newer)});
}

TEST_F(ChangesTest, ANewSnapshotForgetsWhatThePeerWasSent) {
  GoLive({flow_});
  changes_.BeginSnapshot();
  EXPECT_EQ(Take(), nothing_);
  EXPECT_TRUE(batch_.snapshot_begins);
  Add(flow_);
  Add(Gone(flow_));  // not named in this snapshot, so the sweep ends it
  EXPECT_EQ(Take(), nothing_);
  EXPECT_EQ(changes_.Snapshots(), 2U);
}

TEST_F(ChangesTest, TellsOnceWhenThereIsSomethingAfterAnEmptyTake) {
  GoLive();
  const int before = told_;
  Add(flow_);
  Add(Natted(1));
  EXPECT_EQ(told_, before + 1);
  Take();
  Add(Natted(2));
  EXPECT_EQ(told_, before + 1);  // the taker comes again by itself
  Take();
  EXPECT_EQ(Take(), nothing_);
  Add(Natted(3));
  EXPECT_EQ(told_, before + 2);
}

TEST_F(ChangesTest, KeepsTheOrderAndTheAgeOfTheOldestChange) {
  GoLive();
  Add(Natted(0), kStart + absl::Seconds(1));
  Add(Natted(1), kStart + absl::Seconds(2));
  Add(Natted(0), kStart + absl::Seconds(3));
  EXPECT_EQ(changes_.Oldest(), kStart + absl::Seconds(1));
  const uint64_t next = changes_.Next();
  EXPECT_EQ(Take(1), std::vector<std::string>{Describe(Natted(0))});
  EXPECT_EQ(batch_.oldest, kStart + absl::Seconds(1));
  EXPECT_LT(batch_.end, next);
  EXPECT_EQ(Take(1), std::vector<std::string>{Describe(Natted(1))});
  EXPECT_EQ(batch_.end, next);
}

TEST_F(ChangesTest, PositionsMoveOverWhatIsNeverSent) {
  GoLive();
  Add(flow_);
  Add(Gone(flow_));
  const uint64_t next = changes_.Next();
  EXPECT_EQ(Take(), nothing_);
  EXPECT_EQ(batch_.end, next);
}

TEST_F(ChangesTest, TooManyAreDroppedAndASnapshotAsked) {
  GoLive();
  bool fits = true;
  Flow flow = flow_;
  for (size_t i = 0; i <= Changes::kMaxWaiting && fits; ++i) {
    std::memcpy(flow.key.source.data(), &i, 4);
    fits = changes_.Add({flow}, kStart);
  }
  EXPECT_FALSE(fits);
  EXPECT_EQ(Take(), nothing_);
  EXPECT_TRUE(changes_.Wanted());
  Add(flow_);
  EXPECT_EQ(Take(), nothing_);
  GoLive({flow_});
}

TEST_F(ChangesTest, ASnapshotPausesWhileMuchWaits) {
  int room = 0;
  changes_.OnRoom([&] { ++room; });
  changes_.BeginSnapshot();
  std::vector<Flow> flows;
  for (size_t i = 0; i < Changes::kPauseAt; ++i) flows.push_back(Natted(static_cast<int>(i)));
  changes_.AddFound(flows, kStart);
  EXPECT_FALSE(changes_.Room());
  Take(10);
  EXPECT_TRUE(changes_.Room());
  EXPECT_EQ(room, 1);
  Take(10);
  EXPECT_EQ(room, 1);
}

}  // namespace
}  // namespace zcluster::conntrack
