// SPDX-License-Identifier: Apache-2.0
// Events were lost: only what differs is sent, and the peer ends with what the kernel has.
#include <deque>
#include <random>

#include "agent/conntrack/changes.h"
#include "tests/agent/conntrack/netns.h"
#include "tests/agent/conntrack/variants.h"

namespace zcluster::conntrack {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

class ComparisonOfChanges : public testing::Test {
 protected:
  void GoLive(const std::vector<Flow>& flows) {
    changes_.BeginSnapshot();
    changes_.AddFound(flows, kStart);
    changes_.EndSnapshot();
    while (changes_.Take(1000, batch_)) {
    }
  }
  void Add(const Flow& flow) { EXPECT_TRUE(changes_.Add({flow}, kStart)); }
  void Compare(const std::vector<Flow>& found) {
    ASSERT_TRUE(changes_.BeginComparison());
    EXPECT_TRUE(changes_.AddFound(found, kStart));
    changes_.EndSnapshot();
  }
  std::vector<std::string> Take() {
    std::vector<std::string> texts;
    while (changes_.Take(1000, batch_)) {
      EXPECT_FALSE(batch_.snapshot_begins || batch_.snapshot_ends);
      for (const Flow& flow : batch_.flows)
        texts.push_back(flow.gone ? absl::StrCat("gone ", Text(flow.key)) : Describe(flow));
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }

  Changes changes_{[] {}};
  Changes::Batch batch_;
  const std::vector<std::string> nothing_;
};

TEST_F(ComparisonOfChanges, SendsWhatDiffersAndNothingElse) {
  const Flow labelled = WithLabels(Natted(4), 1);
  GoLive({Natted(0), Natted(1), Natted(2), Natted(3), labelled});
  Compare({Natted(0), InState(Natted(1), TCP_CONNTRACK_FIN_WAIT), Marked(Natted(2), 5), labelled,
           Natted(9)});
  EXPECT_TRUE(changes_.SnapshotOpen());
  std::vector<std::string> expected = {Describe(InState(Natted(1), TCP_CONNTRACK_FIN_WAIT)),
                                       Describe(Marked(Natted(2), 5)), Describe(Natted(9)),
                                       absl::StrCat("gone ", Text(Natted(3).key))};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(Take(), expected);
  EXPECT_FALSE(changes_.SnapshotOpen());
  EXPECT_EQ(changes_.Snapshots(), 1u);
  EXPECT_EQ(changes_.Differing(), 4u);
  Compare({Natted(0), InState(Natted(1), TCP_CONNTRACK_FIN_WAIT), Marked(Natted(2), 5), labelled,
           Natted(9)});
  EXPECT_EQ(Take(), nothing_) << "the second time all is known";
}

TEST_F(ComparisonOfChanges, WhatEventsToldSinceIsNewer) {
  GoLive({Natted(0), Natted(1), WithLabels(Natted(2), 1)});
  ASSERT_TRUE(changes_.BeginComparison());
  Add(Marked(Natted(0), 7));
  Add(Gone(Natted(1)));
  Add(Partial(Marked(Natted(2), 7)));  // neither TCP's state nor the labels, which differ
  const Flow found = WithLabels(InState(Natted(2), TCP_CONNTRACK_CLOSE_WAIT), 3);
  EXPECT_TRUE(changes_.AddFound({Natted(0), Natted(1), found}, kStart));
  changes_.EndSnapshot();
  std::vector<std::string> expected = {Describe(Marked(Natted(0), 7)),
                                       absl::StrCat("gone ", Text(Natted(1).key)),
                                       Describe(Marked(found, 7))};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(Take(), expected);
}

TEST_F(ComparisonOfChanges, WhatWaitsLeavesAsItIsNow) {
  GoLive({Natted(0)});
  Add(Marked(Natted(0), 1));
  Add(Natted(1));
  Compare({Marked(Natted(0), 2)});
  EXPECT_EQ(Take(), std::vector<std::string>{Describe(Marked(Natted(0), 2))});
}

TEST_F(ComparisonOfChanges, AnotherLifeIsFoundThoughTheEndOfTheFirstComesLate) {
  Flow old = Natted(0), young = Natted(0, "10.1.0.3");
  old.id = 1;
  young.id = 2;
  GoLive({old});
  ASSERT_TRUE(changes_.BeginComparison());
  Add(Gone(old));
  EXPECT_TRUE(changes_.AddFound({young}, kStart));
  changes_.EndSnapshot();
  EXPECT_EQ(Take(), std::vector<std::string>{Describe(young)});
}

TEST_F(ComparisonOfChanges, TakesASnapshotThatThePeerHas) {
  EXPECT_FALSE(changes_.BeginComparison());
  changes_.BeginSnapshot();
  EXPECT_FALSE(changes_.BeginComparison());
  changes_.AddFound({Natted(0)}, kStart);
  changes_.EndSnapshot();
  EXPECT_FALSE(changes_.BeginComparison()) << "its end is not on its way yet";
  while (changes_.Take(1000, batch_)) {
  }
  EXPECT_TRUE(changes_.BeginComparison());
  EXPECT_TRUE(changes_.BeginComparison()) << "and again, in the middle";
  changes_.Stop();
  EXPECT_FALSE(changes_.BeginComparison());
}

TEST_F(ComparisonOfChanges, GivesWayToASnapshot) {
  GoLive({Natted(0)});
  ASSERT_TRUE(changes_.BeginComparison());
  changes_.BeginSnapshot();
  changes_.AddFound({Natted(0)}, kStart);
  changes_.EndSnapshot();
  EXPECT_TRUE(changes_.Take(1000, batch_));
  EXPECT_TRUE(batch_.snapshot_begins && batch_.snapshot_ends);
}

TEST_F(ComparisonOfChanges, ExpectationsThatAreNoMoreEnd) {
  GoLive({Natted(0)});
  Expectation one, other;
  one.what.master = other.what.master = Natted(0).key;
  one.what.key = Natted(1).key;
  other.what.key = Natted(2).key;
  changes_.AddExpectations({one, other});
  EXPECT_TRUE(changes_.Take(1000, batch_));
  ASSERT_TRUE(changes_.BeginComparison());
  changes_.EndExpectationsBut({other});
  changes_.AddFound({Natted(0)}, kStart);
  changes_.EndSnapshot();
  EXPECT_TRUE(changes_.Take(1000, batch_));
  ASSERT_EQ(batch_.expectations.size(), 1u);
  EXPECT_TRUE(batch_.expectations[0].gone);
  EXPECT_EQ(batch_.expectations[0].what.key, one.what.key);
}

// A kernel whose events get lost at times, and the peer's table as the batches make it.
class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed) {}

  void Run() {
    Read(/*whole=*/true);
    for (int round = 0; round < 4; ++round) {
      losing_ = round % 2 == 0;
      for (int i = 0; i < 40; ++i) Step();
      losing_ = false;
      Deliver();
      Read(/*whole=*/false);
    }
    Deliver();
    TakeAll();
  }

  std::map<std::string, std::string> Kernel() const { return Texts(kernel_); }
  std::map<std::string, std::string> Peer() const { return Texts(peer_); }
  uint64_t sent() const { return sent_; }
  bool compared() const { return compared_; }

 private:
  using Flows = std::map<std::string, Flow>;

  size_t Below(size_t n) { return random_() % n; }
  static std::map<std::string, std::string> Texts(const Flows& flows) {
    std::map<std::string, std::string> texts;
    for (const auto& [key, flow] : flows) texts[key] = Describe(flow);
    return texts;
  }

  // Something happens in the kernel; or somebody reads, or takes.
  void Step() {
    switch (Below(6)) {
      case 0:
        return Deliver();
      case 1:
        return TakeSome();
      default:
        return Change();
    }
  }

  void Tell(const Flow& flow) {
    if (!losing_ || Below(3) != 0) events_.push_back(flow);
  }

  void Change() {
    const int which = static_cast<int>(Below(12));
    const std::string name = Text(Natted(which).key);
    const auto at = kernel_.find(name);
    if (at == kernel_.end()) {
      Flow flow = Natted(which, Below(2) == 0 ? "10.1.0.2" : "10.1.0.3");
      if (which < 4) flow = WithLabels(WithHelper(flow, "ftp"), 1);
      flow.id = ++ids_;
      kernel_[name] = flow;
      return Tell(flow);
    }
    Flow& flow = at->second;
    switch (Below(4)) {
      case 0: {
        Tell(Gone(flow));
        kernel_.erase(at);
        return;
      }
      case 1:
        flow.mark = static_cast<uint32_t>(Below(4));
        return Tell(Partial(WithoutLabels(flow)));
      case 2:
        if (flow.rare) {
          flow = WithLabels(flow, static_cast<uint8_t>(1 + Below(4)));
          return Tell(Partial(flow));
        }
        [[fallthrough]];
      default:
        flow.tcp.state = static_cast<uint8_t>(3 + Below(5));
        return Tell(WithoutLabels(flow));
    }
  }

  // An event tells labels only if they changed.
  static Flow WithoutLabels(Flow flow) {
    flow.rare = Without(flow.rare, Rare::kLabels);
    return flow;
  }

  void Deliver() {
    std::vector<Flow> events(events_.begin(), events_.end());
    events_.clear();
    EXPECT_TRUE(changes_.Add(events, kStart));
  }

  // A part of the table is as old as its reader is slow.
  void Read(bool whole) {
    if (whole || !changes_.BeginComparison()) {
      changes_.BeginSnapshot();
    } else {
      compared_ = true;
    }
    for (int first = 0; first < 12; first += 3) {
      std::vector<Flow> part;
      for (int i = first; i < first + 3; ++i) {
        if (const auto at = kernel_.find(Text(Natted(i).key)); at != kernel_.end())
          part.push_back(at->second);
      }
      for (size_t n = Below(5); n > 0; --n) Step();
      changes_.AddFound(part, kStart);
      for (size_t n = Below(5); n > 0; --n) Step();
    }
    changes_.EndSnapshot();
  }

  void TakeSome() {
    Changes::Batch batch;
    if (changes_.Take(1 + Below(5), batch)) Apply(batch);
  }
  void TakeAll() {
    Changes::Batch batch;
    while (changes_.Take(1000, batch)) Apply(batch);
  }

  void Apply(const Changes::Batch& batch) {
    if (batch.snapshot_begins) peer_.clear();
    sent_ += batch.flows.size();
    for (const Flow& flow : batch.flows) {
      const std::string name = Text(flow.key);
      if (flow.gone) {
        peer_.erase(name);
        continue;
      }
      Flow& held = peer_[name];
      const Tcp tcp = held.tcp;
      held = flow;
      if (!flow.has_tcp) {
        held.tcp = tcp;
        held.has_tcp = true;
      }
    }
  }

  std::mt19937 random_;
  Changes changes_{[] {}};
  Flows kernel_, peer_;
  std::deque<Flow> events_;
  bool losing_ = false;
  bool compared_ = false;
  uint32_t ids_ = 0;
  uint64_t sent_ = 0;
};

TEST(ChangesModel, ThePeerEndsWithWhatTheKernelHasWhateverWasLost) {
  int compared = 0;
  for (uint32_t seed = 0; seed < 5000; ++seed) {
    Model model(seed);
    model.Run();
    ASSERT_EQ(model.Peer(), model.Kernel()) << "seed " << seed;
    compared += model.compared() ? 1 : 0;
  }
  EXPECT_GT(compared, 4000);
}

}  // namespace
}  // namespace zcluster::conntrack
