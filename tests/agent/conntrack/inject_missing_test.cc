// SPDX-License-Identifier: Apache-2.0
// What the injector does where the kernel's table is full, or the kernel refuses for good.
#include <future>

#include "agent/conntrack/digest.h"
#include "agent/conntrack/inject.h"
#include "tests/agent/conntrack/crowd.h"

namespace zcluster::conntrack {
namespace {

class InjectMissing : public testing::Test {
 protected:
  static constexpr absl::Duration kPatience = absl::Seconds(20);

  InjectMissing() {
    netns_.Run([this] {
      absl::StatusOr<std::unique_ptr<Injector>> started = Injector::Start(*Filter::Make({}));
      EXPECT_TRUE(started.ok()) << started.status();
      injector_ = *std::move(started);
    });
  }
  ~InjectMissing() override { injector_.reset(); }

  Injector::Applied Apply(std::vector<Flow> flows, bool snapshot = false) {
    std::promise<Injector::Applied> applied;
    Injector::Batch batch{std::move(flows), snapshot, snapshot, {}};
    batch.applied = [&](const Injector::Applied& what) {
      Note(what, 0);
      applied.set_value(what);
    };
    batch.later = [this](const Injector::Applied& what) { Note(what, 1); };
    EXPECT_TRUE(injector_->TryPush(std::move(batch)));
    return applied.get_future().get();
  }

  void Note(const Injector::Applied& what, int changes) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    changed_ = what;
    changes_ += changes;
  }

  bool Reaches(const std::function<bool(const Injector::Applied&, int changes)>& met) {
    return WaitUntil(kPatience, [&] {
      absl::MutexLock lock(&mutex_);
      return met(changed_, changes_);
    });
  }

  // Of those that were applied.
  std::vector<std::string> InKernel() const {
    std::vector<std::string> texts;
    for (const auto& [text, flow] : Dump(netns_)) {
      if (flow.key.source[0] != 127) texts.push_back(text);
    }
    return texts;
  }

  absl::Mutex mutex_;
  Injector::Applied changed_ ABSL_GUARDED_BY(mutex_);
  int changes_ ABSL_GUARDED_BY(mutex_) = 0;
  const Netns netns_;
  std::unique_ptr<Injector> injector_;
};

uint64_t DigestOf(const std::vector<Flow>& flows) {
  uint64_t digest = 0;
  for (const Flow& flow : flows) digest += conntrack::DigestOf(flow);
  return digest;
}

std::vector<Flow> Flows(int count) {
  std::vector<Flow> flows;
  for (int i = 0; i < count; ++i) flows.push_back(Natted(i));
  return flows;
}

TEST_F(InjectMissing, WhatDoesNotFitComesAsSoonAsThereIsRoom) {
  Crowd crowd(netns_);
  const Injector::Applied applied = Apply(Flows(10), true);
  EXPECT_EQ(applied.refused, 10U);
  EXPECT_EQ(applied.digest, 0U);
  EXPECT_EQ(applied.lack, (Lack{10, crowd.maximum(), crowd.maximum()}));
  EXPECT_EQ(injector_->lack(), applied.lack);
  EXPECT_EQ(injector_->flows(), 0U);

  crowd.Leave(4);
  EXPECT_TRUE(Reaches([](const Injector::Applied& what, int) { return what.lack.flows == 6; }));
  EXPECT_EQ(InKernel().size(), 4U);
  EXPECT_EQ(injector_->flows(), 4U);
  EXPECT_EQ(injector_->lack(), (Lack{6, crowd.maximum(), crowd.maximum()}));

  crowd.LeaveAll();
  EXPECT_TRUE(Reaches([](const Injector::Applied& what, int) {
    return what.lack == Lack() && what.digest == DigestOf(Flows(10));
  }));
  std::vector<std::string> wanted;
  for (const Flow& flow : Flows(10)) wanted.push_back(Describe(flow));
  EXPECT_EQ(Texts(netns_), wanted);
  for (const auto& [text, flow] : Dump(netns_)) EXPECT_TRUE(IsHeld(flow.timeout)) << text;
  EXPECT_EQ(injector_->refused(), 10U) << "a try does not count";
}

TEST_F(InjectMissing, MoreThanIsTriedAtOnceComesToo) {
  Crowd crowd(netns_);
  EXPECT_EQ(Apply(Flows(5000), true).lack.flows, 5000U);
  crowd.LeaveAll();
  EXPECT_TRUE(Reaches([](const Injector::Applied& what, int) { return what.lack == Lack(); }));
  EXPECT_EQ(Texts(netns_).size(), 5000U);
}

TEST_F(InjectMissing, ItIsAsItIsByThenAndWhatEndedIsLeftAlone) {
  Apply({Natted(9)}, true);
  Crowd crowd(netns_);
  EXPECT_EQ(Apply(Flows(3)).lack.flows, 3U);
  Flow ended = Natted(0);
  ended.gone = true;
  Flow changed = Natted(1);  // not about TCP's state
  changed.has_tcp = false;
  changed.tcp = {};
  changed.mark = 7;
  Flow held = Natted(9);  // what is held goes on
  held.mark = 8;
  EXPECT_EQ(Apply({ended, changed, held}).lack.flows, 2U);
  EXPECT_EQ(InKernel(), std::vector<std::string>{Describe(held)});
  crowd.LeaveAll();
  EXPECT_TRUE(Reaches([](const Injector::Applied& what, int) { return what.lack == Lack(); }));
  changed = Natted(1);
  changed.mark = 7;
  std::vector<std::string> wanted = {Describe(changed), Describe(Natted(2)), Describe(held)};
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(Texts(netns_), wanted);
}

TEST_F(InjectMissing, WhatIsRefusedForAnotherReasonIsTriedOnAndTheTableIsNotCalledFull) {
  Flow impossible = Plain(Key(IPPROTO_TCP, "0.0.0.0", 0, "0.0.0.0", 0));
  impossible.reply.source = Ip("10.1.0.2");
  impossible.key.family = 99;
  EXPECT_EQ(Apply({Natted(0), impossible}, true).lack, (Lack{1, 0, 0}));
  EXPECT_TRUE(Reaches([](const Injector::Applied&, int changes) { return changes == 3; }));
  EXPECT_EQ(injector_->lack(), (Lack{1, 0, 0}));
  EXPECT_EQ(injector_->refused(), 1U);
  EXPECT_EQ(Texts(netns_), std::vector<std::string>{Describe(Natted(0))});
}

TEST_F(InjectMissing, ANodeThatLeadsTriesNoMore) {
  Crowd crowd(netns_);
  EXPECT_EQ(Apply(Flows(3), true).lack.flows, 3U);
  injector_->GiveUp();
  EXPECT_TRUE(WaitUntil(kPatience, [this] { return injector_->lack() == Lack(); }));
  crowd.LeaveAll();
  EXPECT_EQ(Apply({Natted(5)}).lack, Lack());
  EXPECT_EQ(Texts(netns_), std::vector<std::string>{Describe(Natted(5))});
}

TEST_F(InjectMissing, AReleaseAndASnapshotForgetIt) {
  Crowd crowd(netns_);
  EXPECT_EQ(Apply(Flows(3), true).lack.flows, 3U);
  EXPECT_EQ(Apply(Flows(2), true).lack.flows, 2U);
  injector_->Release();
  EXPECT_TRUE(WaitUntil(kPatience, [this] { return injector_->lack() == Lack(); }));
}

}  // namespace
}  // namespace zcluster::conntrack
