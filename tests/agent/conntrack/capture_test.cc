// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/capture.h"

#include <future>

#include "agent/conntrack/kernel.h"
#include "tests/agent/conntrack/netns.h"
#include "tests/agent/conntrack/rule.h"
#include "tests/support/threads.h"

namespace zcluster::conntrack {
namespace {

class CaptureTest : public testing::Test {
 protected:
  // Captures, and says that a peer wants what is captured.
  void Start(int buffer = 64 << 20, uint32_t muted = 1, const FlowRules& rules = {}) {
    netns_.Run([&] {
      ASSERT_TRUE(TurnEventsOn("").ok());
      absl::StatusOr<std::unique_ptr<Capture>> started = Capture::Start(
          {buffer, muted, *Filter::Make({}, rules)}, changes_, [this] { ++overruns_; });
      ASSERT_TRUE(started.ok()) << started.status();
      capture_ = *std::move(started);
    });
    capture_->RequestSnapshot();
    EXPECT_TRUE(WaitUntil(kPatience, [&] { return Follow().snapshot_ends; }));
  }

  // Takes what there is, as a stream would; `told_` becomes what a peer would have.
  Changes::Batch Follow() {
    Changes::Batch batch;
    if (!changes_.Take(100, batch)) return batch;
    if (batch.snapshot_begins) told_.clear();
    for (const Flow& flow : batch.flows) {
      if (flow.gone) {
        told_.erase(Text(flow.key));
      } else {
        told_[Text(flow.key)] = Describe(flow);
      }
    }
    return batch;
  }

  void Drain() {
    std::promise<void> drained;
    capture_->Drain([&] { drained.set_value(); });
    drained.get_future().wait();
  }

  std::vector<std::string> Told() const {
    std::vector<std::string> texts;
    for (const auto& [key, text] : told_) texts.push_back(text);
    std::sort(texts.begin(), texts.end());
    return texts;
  }

  static constexpr absl::Duration kPatience = absl::Seconds(20);

  const Netns netns_;
  Changes changes_{[] {}};
  std::atomic<int> overruns_{0};
  std::map<std::string, std::string> told_;
  std::unique_ptr<Capture> capture_;  // ends first
};

TEST_F(CaptureTest, ADrainHasAllThatHappenedBefore) {
  Start();
  for (int i = 0; i < 5000; i += 500) {
    std::vector<Flow> flows;
    for (int j = 0; j < 500; ++j) flows.push_back(Natted(i + j));
    ASSERT_EQ(Change(netns_, Verb::kCreate, flows), 0U);
    Drain();
    while (!Follow().flows.empty()) {
    }
    EXPECT_EQ(told_.size(), static_cast<size_t>(i + 500));
  }
  EXPECT_EQ(Told(), Texts(netns_));
}

TEST_F(CaptureTest, ADrainMissesNothingHoweverItFallsBetweenTwoReads) {
  Start();
  netns_.Run([this] {
    absl::StatusOr<KernelWriter> writer = KernelWriter::Open();
    ASSERT_TRUE(writer.ok());
    for (int i = 0; i < 5000; ++i) {
      for (int j = 0; j < 3; ++j) {
        writer->Add(Verb::kCreate, Natted(3 * i + j), 60);
        ASSERT_TRUE(writer->Flush().empty());
      }
      Drain();
      ASSERT_EQ(Follow().flows.size(), 3U) << i;
    }
  });
}

TEST_F(CaptureTest, WhatTheMutedSocketDoesIsNotHeard) {
  absl::StatusOr<KernelWriter> own =
      absl::UnknownError("");  // stays open: another socket must not get its port
  netns_.Run([&] {
    own = KernelWriter::Open();
    ASSERT_TRUE(own.ok());
    Start(64 << 20, own->port());
    for (int i = 0; i < 1000; ++i) own->Add(Verb::kCreate, Natted(i), 60);
    ASSERT_TRUE(own->Flush().empty());
    own->Add(Verb::kDelete, Natted(0), 0);
    ASSERT_TRUE(own->Flush().empty());
  });
  ASSERT_EQ(Change(netns_, Verb::kCreate, {Natted(2000)}), 0U);
  Drain();
  Follow();
  EXPECT_EQ(Told(), std::vector<std::string>{Describe(Natted(2000))});
}

TEST_F(CaptureTest, ASnapshotOfALargeTableWaitsForItsReader) {
  std::vector<Flow> flows;
  for (int i = 0; i < 30000; ++i) flows.push_back(Natted(i));
  ASSERT_EQ(Change(netns_, Verb::kCreate, flows), 0U);
  Start();
  EXPECT_EQ(Told(), Texts(netns_));
}

TEST_F(CaptureTest, LostEventsAreMadeUpForUntilTheViewIsWhole) {
  // Some hundred events. Much smaller, and the kernel would need seconds to bring the lost ends a
  // few at a time.
  Start(256 << 10);
  std::vector<Flow> flows;
  for (int i = 0; i < 20000; ++i) flows.push_back(Natted(i));
  ASSERT_EQ(Change(netns_, Verb::kCreate, flows), 0U);
  flows.resize(5000);
  ASSERT_EQ(Change(netns_, Verb::kDelete, flows), 0U);
  const std::vector<std::string> table = Texts(netns_);
  EXPECT_TRUE(WaitUntil(kPatience,
                        [&] {
                          while (!Follow().flows.empty()) {
                          }
                          return !changes_.SnapshotOpen() && Told() == table;
                        }))
      << told_.size() << " of " << table.size();
  EXPECT_GT(capture_->overruns(), 0U);
  EXPECT_EQ(static_cast<uint64_t>(overruns_), capture_->overruns());
}

TEST_F(CaptureTest, WhatNoRuleTakesFillsNoBufferForItIsDroppedInTheKernel) {
  Start(4096, 1, {{}, {Rule("destination_port", "443")}});
  std::vector<Flow> flows;
  for (int i = 0; i < 5000; ++i) flows.push_back(Natted(i));
  ASSERT_EQ(Change(netns_, Verb::kCreate, flows), 0U);
  const Flow wanted = Plain(Key(IPPROTO_TCP, "198.51.100.7", 1, "192.0.2.10", 80));
  ASSERT_EQ(Change(netns_, Verb::kCreate, {wanted}), 0U);
  Drain();
  Follow();
  EXPECT_EQ(Told(), std::vector<std::string>{Describe(wanted)});
  EXPECT_EQ(capture_->overruns(), 0U);
}

TEST_F(CaptureTest, ProtocolsThatAreNotReplicatedAreCountedOnly) {
  Start();
  const Flow dccp = Plain(Key(IPPROTO_DCCP, "198.51.100.7", 0, "192.0.2.10", 0));
  ASSERT_EQ(Change(netns_, Verb::kCreate, {dccp, Natted(1)}), 0U);
  Drain();
  Follow();
  EXPECT_EQ(Told(), std::vector<std::string>{Describe(Natted(1))});
  EXPECT_EQ(capture_->skipped(), 1U);
}

// On a busy machine it would lose events; on a table of a million flows it would keep others
// waiting.
TEST_F(CaptureTest, RunsInRealTimeOnceTheSnapshotIsRead) {
  Start();
  EXPECT_TRUE(WaitUntil(kPatience, [] { return test::RealTimeThreads("ct-capture") == 1; }));
}

TEST(Capture, FewEventsAreReadAtOnceAndManyGather) {
  EXPECT_EQ(NapAt(0), absl::ZeroDuration());
  EXPECT_EQ(NapAt(4000), absl::ZeroDuration());
  // So that a batch is worth its while, but never for long.
  for (const double rate : {8000.0, 10000.0, 20000.0, 150000.0}) {
    EXPECT_GE(rate * absl::ToDoubleSeconds(NapAt(rate)), 20) << rate;
    EXPECT_LE(NapAt(rate), absl::Milliseconds(3)) << rate;
  }
}

}  // namespace
}  // namespace zcluster::conntrack
