// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/flow_service.h"

#include <optional>

#include "agent/conntrack/batch.h"
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

// Flows as they came through a watch, without the probes.
struct Watched {
  std::vector<v1::SeenFlow> flows;
  uint64_t skipped = 0;
};

Flow Probe(uint32_t mark) {
  Flow flow = Plain(Key(IPPROTO_UDP, "198.18.0.1", 9, "198.18.0.2", 9));
  flow.mark = mark;
  return flow;
}

bool IsProbe(const v1::SeenFlow& seen) {
  return seen.flow().protocol() == IPPROTO_UDP && seen.flow().source_port() == 9;
}

// Somebody who watches a node's flows.
class Watcher {
 public:
  explicit Watcher(const std::string& address, uint32_t rate = 1000, int window = 0) {
    grpc::ChannelArguments arguments;  // those of equal arguments would share a connection
    static int number = 0;
    arguments.SetInt("zcluster.test.channel", ++number);
    if (window > 0) {
      arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, window);
      arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    }
    stub_ = v1::FlowService::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(40));
    v1::WatchFlowsRequest request;
    request.set_max_per_second(rate);
    reader_ = stub_->Watch(&context_, request);
  }
  ~Watcher() {
    context_.TryCancel();
    if (!ended_) reader_->Finish();
  }

  // Waits until what happens on `node` is shown, by changing a flow of our own again and again.
  void Begin(const Node& node) {
    std::atomic<bool> shown{false};
    std::thread prober([&] {
      uint32_t mark = 0;
      WaitUntil(Pair::kPatience, [&] {
        Change(node.netns(), Verb::kCreate, {Probe(++mark)});
        Change(node.netns(), Verb::kUpdate, {Probe(mark)});
        return shown.load();
      });
    });
    v1::FlowsSeen message;
    EXPECT_TRUE(reader_->Read(&message)) << "nothing is shown";
    shown = true;
    prober.join();
    ReadUntilProbed(node);
  }

  // Everything until a change that is made now.
  Watched ReadUntilProbed(const Node& node) {
    static std::atomic<uint32_t> marks{1000000};
    const uint32_t mark = ++marks;
    Watched all;
    v1::FlowsSeen message;
    Change(node.netns(), Verb::kUpdate, {Probe(mark)});
    for (bool probed = false; !probed;) {
      if (!reader_->Read(&message)) {
        ADD_FAILURE() << "the watch ended";
        return all;
      }
      EXPECT_EQ(message.node(), "node1");
      for (const v1::SeenFlow& seen : message.flows()) {
        if (!IsProbe(seen)) {
          all.flows.push_back(seen);
          continue;
        }
        probed = probed || seen.flow().mark() == mark;
      }
      all.skipped += message.skipped();
      // The probe may have been one of those skipped.
      if (!probed) {
        Change(node.netns(), Verb::kUpdate, {Probe(mark)});
        ++probes_;
      }
    }
    return all;
  }

  bool Read(v1::FlowsSeen& message) { return reader_->Read(&message); }
  grpc::Status Finish() {
    ended_ = true;
    return reader_->Finish();
  }
  // The status that it ends with, whatever is shown before.
  grpc::Status WaitForEnd() {
    v1::FlowsSeen message;
    while (reader_->Read(&message)) {
    }
    return Finish();
  }
  // Probes beyond the one of each ReadUntilProbed().
  uint64_t probes() const { return probes_; }

 private:
  std::unique_ptr<v1::FlowService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::FlowsSeen>> reader_;
  bool ended_ = false;
  uint64_t probes_ = 0;
};

Options Named() {
  Options options;
  options.node_name = "node1";
  return options;
}

// What is told of it, but for the flags of TCP, which the kernel has from elsewhere too.
std::string Told(v1::Flow message) {
  message.set_tcp(message.tcp() & 0xf);
  return message.DebugString();
}
std::string Told(const Flow& flow) {
  v1::Flow message;
  Write(flow, message);
  return Told(std::move(message));
}

TEST(FlowService, ShowsFlowsComeChangeAndGoInTheirOrder) {
  Pair pair(Named());
  pair.Appoint(pair.a, 1);
  Watcher watcher(pair.a.address());
  watcher.Begin(pair.a);
  const absl::Time before = absl::Now();
  Flow flow = Natted(1);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {flow}), 0U);
  flow.mark = 5;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {flow}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, {flow}), 0U);
  const Watched all = watcher.ReadUntilProbed(pair.a);
  ASSERT_EQ(all.flows.size(), 3U);
  EXPECT_EQ(all.skipped, 0U);
  EXPECT_EQ(Told(all.flows[0].flow()), Told(Natted(1)));
  EXPECT_EQ(all.flows[1].flow().mark(), 5U);
  EXPECT_TRUE(all.flows[2].flow().gone());
  EXPECT_EQ(all.flows[2].flow().source_port(), 1025U);
  for (const v1::SeenFlow& seen : all.flows) {
    const absl::Time at =
        absl::FromUnixSeconds(seen.at().seconds()) + absl::Nanoseconds(seen.at().nanos());
    EXPECT_GE(at, before);
    EXPECT_LE(at, absl::Now());
  }
}

TEST(FlowService, ShowsThemWhileThePeerIsAwayToo) {
  Pair pair(Named());
  pair.b.StopServing();
  pair.a.Assume(Role::kMaster, 1);
  Watcher watcher(pair.a.address());
  watcher.Begin(pair.a);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Natted(1)}), 0U);
  EXPECT_EQ(watcher.ReadUntilProbed(pair.a).flows.size(), 1U);
  EXPECT_FALSE(pair.a.State().synchronised);
}

TEST(FlowService, ANodeThatIsNotMasterTellsNothingUntilItIs) {
  Pair pair(Named());
  pair.Appoint(pair.b, 1);
  Watcher watcher(pair.a.address());
  ASSERT_EQ(Change(pair.b.netns(), Verb::kCreate, NattedFlows(100)), 0U);
  pair.ExpectEqual(100);
  pair.Appoint(pair.a, 2);
  v1::FlowsSeen message;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Natted(777, "10.1.0.9")}), 0U);
  ASSERT_TRUE(watcher.Read(message));
  ASSERT_EQ(message.flows_size(), 1) << "what it was sent as a backup, or found, is no change";
  EXPECT_EQ(message.flows(0).flow().source_port(), 1024U + 777U);
}

TEST(FlowService, WhatExceedsTheRateIsCounted) {
  Pair pair(Named());
  pair.Appoint(pair.a, 1);
  Watcher watcher(pair.a.address(), 50);
  watcher.Begin(pair.a);
  const absl::Time before = absl::Now();
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(4000, "10.1.0.2", 4000 * i)), 0U);
  Watched all = watcher.ReadUntilProbed(pair.a);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - before);
  // Of the probes we know only that they are few.
  EXPECT_GE(all.flows.size() + all.skipped, 20000U);
  EXPECT_LE(all.flows.size() + all.skipped, 20000U + watcher.probes() + 1);
  EXPECT_GT(all.flows.size(), 0U);
  EXPECT_LE(static_cast<double>(all.flows.size()), 50 * seconds + 21);
  pair.ExpectEqual(20001);
}

TEST(FlowService, EachWatcherHasItsOwnRate) {
  Pair pair(Named());
  pair.Appoint(pair.a, 1);
  Watcher slow(pair.a.address(), 10);
  Watcher fast(pair.a.address(), 1000);
  slow.Begin(pair.a);
  fast.Begin(pair.a);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(100)), 0U);
  EXPECT_EQ(fast.ReadUntilProbed(pair.a).flows.size(), 100U);
  const Watched shown = slow.ReadUntilProbed(pair.a);
  EXPECT_LT(shown.flows.size(), 20U);
  EXPECT_GE(shown.skipped, 80U);
}

TEST(FlowService, RefusesARateThatIsTooHighAndWhoeverTheGuardRefuses) {
  Pair pair(Named());
  pair.Appoint(pair.a, 1);
  grpc::Status status = Watcher(pair.a.address(), 1001).WaitForEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "max_per_second: 1001: use 1 to 1000");
  pair.a.guard().Refuse(absl::PermissionDeniedError("not you"));
  status = Watcher(pair.a.address()).WaitForEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST(FlowService, FourMayWatchAndAFifthOnceOneHasLeft) {
  Pair pair(Named());
  pair.Appoint(pair.a, 1);
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (size_t i = 0; i < FlowService::kMaxWatchers; ++i) {
    watchers.push_back(std::make_unique<Watcher>(pair.a.address()));
    watchers.back()->Begin(pair.a);
  }
  const grpc::Status status = Watcher(pair.a.address()).WaitForEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(),
            "4 watch the flows of this node already; try again when one has ended");
  watchers.pop_back();
  std::optional<Watcher> fifth;
  // The server hears a moment later that the fourth has gone.
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    fifth.emplace(pair.a.address());
    std::thread change([&] {
      for (uint32_t i = 0; i < 20; ++i) Change(pair.a.netns(), Verb::kUpdate, {Probe(i)});
    });
    change.join();
    v1::FlowsSeen message;
    return fifth->Read(message);
  }));
}

TEST(FlowService, AWatcherThatNeverReadsHoldsNothingUpAndIsToldWhatItMissed) {
  Pair pair(Named());
  pair.Appoint(pair.a, 1);
  Watcher lazy(pair.a.address(), 1000, /*window=*/1024);
  lazy.Begin(pair.a);
  Watcher other(pair.a.address(), 1000);
  other.Begin(pair.a);
  uint64_t made = 0;
  uint64_t shown = 0;
  // More messages than any buffer on the way holds: each is some kilobytes.
  for (int round = 0; round < 15; ++round) {
    ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(2000, "10.1.0.2", 2000 * round)),
              0U);
    made += 2000;
    const Watched all = other.ReadUntilProbed(pair.a);
    shown += all.flows.size() + all.skipped;
  }
  EXPECT_GE(shown, made);
  pair.ExpectEqual(made + 1);
  const Watched late = lazy.ReadUntilProbed(pair.a);
  EXPECT_GE(late.flows.size() + late.skipped, made);
  EXPECT_LT(late.flows.size(), 1000U) << "only what was on its way";
  EXPECT_EQ(pair.a.State().overruns, 0U);
}

TEST(FlowService, EndsWithTheAgentAndWithTheCallersRight) {
  Pair pair(Named());
  pair.Appoint(pair.a, 1);
  Watcher revoked(pair.a.address());
  revoked.Begin(pair.a);
  pair.a.guard().Revoke(absl::PermissionDeniedError("revoked"));
  EXPECT_EQ(revoked.WaitForEnd().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  Watcher watcher(pair.a.address());
  watcher.Begin(pair.a);
  std::thread stop([&] { pair.a.Stop(); });
  const grpc::Status status = watcher.WaitForEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "the agent is stopping") << "not by the server's end";
  stop.join();
}

}  // namespace
}  // namespace zcluster::conntrack
