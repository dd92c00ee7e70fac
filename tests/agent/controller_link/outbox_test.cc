// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/outbox.h"

#include <gtest/gtest.h>

namespace zcluster::controller_link {
namespace {

v1::AgentReport Report(const std::string& pair) {
  v1::AgentReport report;
  report.set_pair(pair);
  return report;
}
v1::FlowsSeen Flows(int flows, uint64_t skipped = 0) {
  v1::FlowsSeen seen;
  for (int i = 0; i < flows; ++i) seen.add_flows();
  seen.set_skipped(skipped);
  return seen;
}
v1::RequestProgress Progress(uint64_t id) {
  v1::RequestProgress progress;
  progress.set_id(id);
  return progress;
}
v1::AgentMessage Take(Outbox& box) {
  const absl::optional<v1::AgentMessage> next = box.Next();
  box.Written();
  return next ? *next : v1::AgentMessage();
}

TEST(Outbox, IsEmptyAtFirst) { EXPECT_FALSE(Outbox().Next()); }

TEST(Outbox, SaysHelloFirst) {
  Outbox box;
  box.AddReport(Report("lab"));
  v1::AgentMessage hello;
  hello.mutable_hello();
  box.AddUrgent(hello);
  EXPECT_TRUE(Take(box).has_hello());
  EXPECT_TRUE(Take(box).has_report());
  EXPECT_FALSE(box.Next());
}

TEST(Outbox, SendsTheLatestReportOnly) {
  Outbox box;
  box.AddReport(Report("old"));
  box.AddReport(Report("new"));
  EXPECT_EQ(Take(box).report().pair(), "new");
  EXPECT_FALSE(box.Next());
}

TEST(Outbox, DropsFlowsBeyondTwoAndCountsThem) {
  Outbox box;
  box.AddFlows(Flows(1));
  ASSERT_TRUE(box.Next()->has_flows());  // under way: not sent yet
  box.AddFlows(Flows(2, 5));
  box.AddFlows(Flows(3, 7));
  box.AddFlows(Flows(4));
  box.Written();
  EXPECT_EQ(Take(box).flows().skipped(), 5U);
  EXPECT_FALSE(box.Next());
  box.AddFlows(Flows(1, 1));
  EXPECT_EQ(Take(box).flows().skipped(), 3U + 7 + 4 + 1);
}

TEST(Outbox, TellsOnceWhenProgressHasLeft) {
  Outbox box;
  int left = 0;
  box.AddProgress(Progress(1), [&] { ++left; });
  ASSERT_TRUE(box.Next());
  EXPECT_EQ(left, 0);
  box.Written();
  box.Written();
  EXPECT_EQ(left, 1);
}

TEST(Outbox, TellsOfWhatWillNeverLeave) {
  Outbox box;
  int left = 0;
  box.AddProgress(Progress(1), [&] { ++left; });
  box.AddProgress(Progress(2), [&] { ++left; });
  box.AddProgress(Progress(3), nullptr);
  ASSERT_TRUE(box.Next());
  box.Abandon();
  EXPECT_EQ(left, 2);
  EXPECT_FALSE(box.Next());
}

TEST(Outbox, IsFullOfProgressBeforeItGrows) {
  Outbox box;
  for (size_t i = 0; i < Outbox::kMaxProgress; ++i) {
    EXPECT_FALSE(box.Full());
    box.AddProgress(Progress(i), nullptr);
  }
  EXPECT_TRUE(box.Full());
  Take(box);
  EXPECT_FALSE(box.Full());
}

TEST(Outbox, LetsNoKindStarveAnother) {
  Outbox box;
  box.AddEvents({});
  box.AddFlows(Flows(1));
  box.AddReport(Report("lab"));
  bool events = false;
  bool flows = false;
  bool report = false;
  for (uint64_t i = 0; i < 8; ++i) {  // one that talks without end
    box.AddProgress(Progress(i), nullptr);
    const v1::AgentMessage next = Take(box);
    events = events || next.has_events();
    flows = flows || next.has_flows();
    report = report || next.has_report();
  }
  EXPECT_TRUE(events && flows && report);
}

}  // namespace
}  // namespace zcluster::controller_link
