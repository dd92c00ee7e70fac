// SPDX-License-Identifier: Apache-2.0
// What may happen to the bytes between two nodes, and to the kernel's events, one by one: each time
// the two kernels' tables are equal in the end.
#include "tests/agent/conntrack/proxy.h"
#include "tests/agent/conntrack/raw_master.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

// A pair whose master `a` reaches its backup through a proxy.
class Overload : public testing::Test {
 protected:
  static constexpr int kFlows = 4000;

  Overload() {
    flows_ = NattedFlows(kFlows);
    EXPECT_EQ(Change(pair_.a.netns(), Verb::kCreate, flows_), 0U);
    pair_.Appoint(pair_.a, 1);
    pair_.ExpectEqual(kFlows);
  }

  std::shared_ptr<grpc::Channel> Through(const Node& backup) {
    const std::string socket = backup.address().substr(5);  // unix:
    proxy_ = std::make_unique<Proxy>(socket + "-proxy", socket);
    grpc::ChannelArguments soon;
    soon.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
    soon.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20);
    soon.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
    return grpc::CreateCustomChannel(backup.address() + "-proxy",
                                     grpc::InsecureChannelCredentials(), soon);
  }

  // All flows change, again and again.
  void ChangeAll(uint32_t times) {
    for (uint32_t i = 0; i < times; ++i) {
      for (Flow& flow : flows_) flow.mark = ++mark_;
      ASSERT_EQ(Change(pair_.a.netns(), Verb::kUpdate, flows_), 0U);
    }
  }

  // Half of the flows end, as many others begin.
  void ReplaceHalf() {
    const std::vector<Flow> gone(flows_.begin(), flows_.begin() + kFlows / 2);
    flows_.erase(flows_.begin(), flows_.begin() + kFlows / 2);
    const std::vector<Flow> fresh = NattedFlows(kFlows / 2, "10.1.0.3", next_);
    next_ = next_ < 40'000 ? next_ + kFlows / 2 : kFlows;
    flows_.insert(flows_.end(), fresh.begin(), fresh.end());
    ASSERT_EQ(Change(pair_.a.netns(), Verb::kDelete, gone), 0U);
    ASSERT_EQ(Change(pair_.a.netns(), Verb::kCreate, fresh), 0U);
  }

  // A flow that begins now is known: so is all that was before.
  void AwaitCapture() {
    flows_.push_back(Natted(59'000));
    ASSERT_EQ(Change(pair_.a.netns(), Verb::kCreate, {flows_.back()}), 0U);
    ASSERT_TRUE(
        WaitUntil(Pair::kPatience, [this] { return Replication().flows() == flows_.size(); }));
  }

  // As the master tells it.
  v1::ReplicationStats Replication() {
    grpc::ClientContext context;
    v1::FlowStats stats;
    const grpc::Status asked =
        v1::FlowService::NewStub(
            grpc::CreateChannel(pair_.a.address(), grpc::InsecureChannelCredentials()))
            ->Stats(&context, v1::FlowStatsRequest(), &stats);
    EXPECT_TRUE(asked.ok()) << asked.error_message();
    return stats.replication();
  }

  std::unique_ptr<Proxy> proxy_;
  Pair pair_{{}, [this](const Node& backup) { return Through(backup); }};
  std::vector<Flow> flows_;
  int next_ = kFlows;
  uint32_t mark_ = 0;
};

// What a flow takes on the master with its change waiting; a table may be half empty.
constexpr uint64_t kBytesOfAFlow = 400;
// What may be under way to a peer that does not answer.
constexpr uint64_t kUnderWay = 32 * 1024;

TEST_F(Overload, APeerThatReadsSlowlyIsSentWhatIsNowAndNotWhatWas) {
  const uint64_t before = Replication().changes();
  proxy_->Slow(1000);
  ChangeAll(30);
  AwaitCapture();
  EXPECT_LT(Replication().memory(), kFlows * kBytesOfAFlow);
  pair_.ExpectEqual(flows_.size());
  EXPECT_LE(Replication().changes() - before, kUnderWay + flows_.size());
}

TEST_F(Overload, APeerThatStopsReadingCostsNoMemoryAndIsSentEachFlowOnce) {
  const uint64_t before = Replication().changes();
  proxy_->Stop(true);
  ChangeAll(30);
  AwaitCapture();
  EXPECT_LT(Replication().memory(), kFlows * kBytesOfAFlow);
  ReplaceHalf();
  EXPECT_TRUE(
      WaitUntil(Pair::kPatience, [this] { return pair_.a.State().lag > absl::Milliseconds(100); }));
  EXPECT_EQ(pair_.a.State().snapshots, 1U);
  proxy_->Stop(false);
  pair_.ExpectEqual(flows_.size());
  EXPECT_LE(Replication().changes() - before, kUnderWay + flows_.size() + kFlows / 2);
  EXPECT_EQ(pair_.a.State().snapshots, 1U);
}

TEST_F(Overload, APeerThatVanishesInTheMiddleOfABatchGetsAllWhenItIsBack) {
  const std::vector<std::pair<Proxy::Direction, size_t>> cuts = {
      {Proxy::kThere, 0},    {Proxy::kThere, 1},      {Proxy::kThere, 9},
      {Proxy::kThere, 14},   {Proxy::kThere, 300},    {Proxy::kThere, 5000},
      {Proxy::kThere, 9999}, {Proxy::kThere, 30'000}, {Proxy::kThere, 60'000},
      {Proxy::kBack, 0},     {Proxy::kBack, 12},      {Proxy::kBack, 40}};
  for (const auto& [direction, bytes] : cuts) {
    SCOPED_TRACE(absl::StrCat(direction == Proxy::kThere ? "there " : "back ", bytes));
    const int before = proxy_->Cuts();
    proxy_->CutAfter(direction, bytes);
    ReplaceHalf();
    ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return proxy_->Cuts() == before + 1; }));
    pair_.ExpectEqual(flows_.size());
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_EQ(pair_.b.State().refused, 0U);
}

// Flows that come and go on a node, faster than anybody can follow, as long as it exists.
class Load {
 public:
  explicit Load(const Node& node)
      : thread_([this, &node] {
          const std::vector<Flow> flows = NattedFlows(2000, "10.1.0.4", 50'000);
          while (!stop_) {
            Change(node.netns(), Verb::kCreate, flows);
            Change(node.netns(), Verb::kDelete, flows);
          }
        }) {}
  ~Load() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST_F(Overload, APeerThatVanishesAgainAndAgainUnderLoadEndsEqual) {
  {
    const Load load(pair_.a);
    for (size_t bytes = 1; bytes < 1'000'000; bytes *= 4) {
      SCOPED_TRACE(bytes);
      const int before = proxy_->Cuts();
      proxy_->CutAfter(Proxy::kThere, bytes);
      ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return proxy_->Cuts() == before + 1; }));
    }
  }
  pair_.ExpectEqual(flows_.size());
}

TEST_F(Overload, WhatAnOldStreamStillHadToSayChangesNothingAfterTheNewOne) {
  proxy_->Keep();
  const std::vector<Flow> first(flows_.begin(), flows_.begin() + kFlows / 2);
  ReplaceHalf();
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [this] { return proxy_->Kept() > 1000; }));
  // What the old stream says is gone is here again.
  ASSERT_EQ(Change(pair_.a.netns(), Verb::kCreate, first), 0U);
  flows_.insert(flows_.end(), first.begin(), first.end());
  proxy_->LoseClients();
  pair_.ExpectEqual(flows_.size());
  const auto ids = [this] {
    std::map<std::string, uint32_t> found;
    for (const auto& [text, flow] : Dump(pair_.b.netns())) found[text] = flow.id;
    return found;
  };
  const std::map<std::string, uint32_t> held = ids();
  proxy_->DeliverLate();
  EXPECT_EQ(ids(), held);
  ReplaceHalf();
  pair_.ExpectEqual(flows_.size());
  EXPECT_EQ(Replication().snapshots(), 2U);  // the new stream goes on
}

class RepeatedBatch : public testing::Test {
 protected:
  RepeatedBatch() {
    node_.Listen(node_);  // nobody calls its peer here
    node_.Assume(Role::kBackup, 5);
  }
  Node node_;
};

TEST_F(RepeatedBatch, IsRefusedAndChangesNothing) {
  RawMaster master(node_);
  EXPECT_EQ(master.Send(master.Next(5, NattedFlows(10))), 1U);
  std::vector<Flow> gone = NattedFlows(5);
  for (Flow& flow : gone) flow.gone = true;
  const v1::FlowBatch end = master.Next(5, gone);
  EXPECT_EQ(master.Send(end), 2U);
  EXPECT_EQ(master.Send(master.Next(5, NattedFlows(5, "10.1.0.3"))), 3U);
  const std::vector<std::string> held = Texts(node_.netns());
  EXPECT_EQ(held.size(), 10U);
  EXPECT_EQ(master.Send(end), 0U);
  EXPECT_EQ(master.End().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Texts(node_.netns()), held);
}

TEST_F(RepeatedBatch, OfAWholeStreamTouchesNothing) {
  std::map<std::string, uint32_t> ids;
  for (int round = 0; round < 3; ++round) {
    RawMaster master(node_);
    EXPECT_EQ(master.Send(master.Next(5, NattedFlows(10))), 1U);
    for (uint64_t i = 2; i < 5; ++i) EXPECT_EQ(master.Send(master.Next(5, NattedFlows(20))), i);
    std::map<std::string, uint32_t> now;
    for (const auto& [text, flow] : Dump(node_.netns())) now[text] = flow.id;
    EXPECT_EQ(now.size(), 20U);
    if (round > 0) {
      for (const Flow& flow : NattedFlows(10)) EXPECT_EQ(now[Describe(flow)], ids[Describe(flow)]);
    }
    ids = now;
  }
}

TEST(Overrun, UnderLoadIsMadeUpForByWhatDiffersAlone) {
  Options options;
  options.event_buffer = 4096;
  Pair pair(options);
  const std::vector<Flow> quiet = NattedFlows(3000);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, quiet), 0U);
  pair.Appoint(pair.a, 1);
  pair.ExpectEqual(quiet.size());
  const auto held = Dump(pair.b.netns());
  {
    const Load load(pair.a);
    EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return pair.a.State().overruns >= 3; }));
  }
  pair.ExpectEqual(quiet.size());
  // What did not change was neither sent nor written again.
  EXPECT_EQ(pair.b.State().snapshots, 1U);
  for (const auto& [text, flow] : Dump(pair.b.netns())) EXPECT_EQ(flow.id, held.at(text).id);
  EXPECT_EQ(pair.b.State().refused, 0U);
}

}  // namespace
}  // namespace zcluster::conntrack
