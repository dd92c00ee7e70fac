// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/inject.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <future>
#include <optional>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "agent/conntrack/digest.h"
#include "tests/agent/conntrack/netns.h"
#include "tests/agent/conntrack/variants.h"
#include "tests/support/threads.h"

namespace zcluster::conntrack {
namespace {

class InjectTest : public testing::Test {
 protected:
  InjectTest() {
    netns_.Run([this] {
      absl::StatusOr<std::unique_ptr<Injector>> started = Injector::Start(*Filter::Make({}));
      EXPECT_TRUE(started.ok()) << started.status();
      injector_ = *std::move(started);
    });
  }

  // Waits until the kernel has it; returns what was refused until then.
  uint64_t Apply(std::vector<Flow> flows, bool begins = false, bool ends = false) {
    std::promise<uint64_t> applied;
    Injector::Batch batch{std::move(flows), begins, ends,
                          [&](const Injector::Applied& what) { applied.set_value(what.refused); }};
    EXPECT_TRUE(injector_->TryPush(std::move(batch)));
    return applied.get_future().get();
  }

  const Netns netns_;
  std::unique_ptr<Injector> injector_;
  const Flow flow_ = Natted(0);
};

TEST_F(InjectTest, WaitsForItsMasterInRealTime) {
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [] { return test::RealTimeThreads("ct-inject") == 1; }));
}

TEST_F(InjectTest, TellsOnceWhatBatchesThatCameTogetherHaveComeTo) {
  std::promise<void> begun;
  std::promise<void> go_on;
  absl::Mutex mutex;
  std::vector<std::pair<int, std::optional<uint64_t>>> told;
  const auto push = [&](int number, std::function<void(const Injector::Applied&)> applied) {
    Injector::Batch batch{{Natted(number)}, number == 0, number == 0, std::move(applied)};
    batch.later = [&, number](const Injector::Applied& what) {
      absl::MutexLock lock(&mutex);
      told.emplace_back(number, what.digest);
    };
    EXPECT_TRUE(injector_->TryPush(std::move(batch)));
  };
  push(0, [&](const Injector::Applied&) {
    begun.set_value();
    go_on.get_future().wait();
  });
  begun.get_future().wait();
  uint64_t digest = DigestOf(Natted(0));
  for (int number = 1; number <= 20; ++number) {
    push(number, {});
    digest += DigestOf(Natted(number));
  }
  go_on.set_value();
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] {
    absl::MutexLock lock(&mutex);
    return !told.empty();
  }));
  injector_.reset();
  EXPECT_EQ(told, (std::vector<std::pair<int, std::optional<uint64_t>>>{{20, digest}}));
}

TEST_F(InjectTest, CreatesUpdatesAndEnds) {
  EXPECT_EQ(Apply({flow_}, true, true), 0U);
  Flow changed = flow_;
  changed.tcp.state = TCP_CONNTRACK_CLOSE_WAIT;
  EXPECT_EQ(Apply({changed}), 0U);
  EXPECT_EQ(Texts(netns_), std::vector<std::string>{Describe(changed)});
  changed.has_tcp = false;  // as an update that is not about TCP's state
  changed.mark = 4;
  EXPECT_EQ(Apply({changed}), 0U);
  EXPECT_EQ(Texts(netns_), std::vector<std::string>{Describe(changed)});
  EXPECT_EQ(Apply({Gone(flow_)}), 0U);
  EXPECT_TRUE(Texts(netns_).empty());
  EXPECT_EQ(injector_->flows(), 0U);
  EXPECT_EQ(injector_->applied(), 4U);
}

TEST_F(InjectTest, AnotherNatOrAFreshConnectionOfTheSameKeyReplacesTheEntry) {
  Apply({flow_}, true, true);
  const Flow other = Natted(0, "10.1.0.3");
  Apply({other});
  EXPECT_EQ(Texts(netns_), std::vector<std::string>{Describe(other)});
  Flow fresh = other;  // no answer yet: those status bits cannot be taken back
  fresh.status &= ~uint32_t{IPS_SEEN_REPLY | IPS_ASSURED};
  fresh.tcp.state = TCP_CONNTRACK_SYN_SENT;
  Apply({fresh});
  EXPECT_EQ(Texts(netns_), std::vector<std::string>{Describe(fresh)});
}

TEST_F(InjectTest, WhatIsInTheWayGivesWayAndIsCounted) {
  Apply({}, true, true);
  Change(netns_, Verb::kCreate, {Natted(0, "10.1.0.99")});
  EXPECT_EQ(Apply({flow_}), 0U);
  EXPECT_EQ(Texts(netns_), std::vector<std::string>{Describe(flow_)});
  EXPECT_EQ(injector_->conflicts(), 1U);

  Flow squatter = Natted(1);
  squatter.key.source_port = 9;
  Change(netns_, Verb::kCreate, {squatter});
  EXPECT_EQ(Apply({Natted(1)}), 0U);
  EXPECT_EQ(Texts(netns_), (std::vector<std::string>{Describe(flow_), Describe(Natted(1))}));
  EXPECT_EQ(injector_->conflicts(), 2U);
}

TEST_F(InjectTest, AnEqualEntryInTheWayIsTakenOver) {
  Apply({}, true, true);
  Flow found = flow_;
  found.mark = 9;
  Change(netns_, Verb::kCreate, {found});
  EXPECT_EQ(Apply({flow_}), 0U);
  EXPECT_EQ(Texts(netns_), std::vector<std::string>{Describe(flow_)});
  EXPECT_EQ(injector_->conflicts(), 0U);
}

TEST_F(InjectTest, AnUpdateOfAnEntryThatVanishedMakesItAnew) {
  Apply({flow_}, true, true);
  Change(netns_, Verb::kDelete, {flow_});
  Flow changed = flow_;
  changed.mark = 6;
  EXPECT_EQ(Apply({changed}), 0U);
  EXPECT_EQ(Texts(netns_), std::vector<std::string>{Describe(changed)});
  Change(netns_, Verb::kDelete, {flow_});
  EXPECT_EQ(Apply({Gone(flow_)}), 0U);
}

TEST_F(InjectTest, WhatTheKernelRefusesIsCountedAndTheRestIsDone) {
  Flow impossible = Plain(Key(IPPROTO_TCP, "0.0.0.0", 0, "0.0.0.0", 0));
  impossible.reply.source = Ip("10.1.0.2");
  impossible.key.family = 99;
  EXPECT_EQ(Apply({flow_, impossible, Natted(1)}, true, true), 1U);
  EXPECT_EQ(Texts(netns_).size(), 2U);
  EXPECT_EQ(injector_->flows(), 2U);
  EXPECT_EQ(injector_->digest(), DigestOf(flow_) + DigestOf(Natted(1)));
}

TEST_F(InjectTest, ASnapshotKeepsWhatIsNamedAndSweepsTheRest) {
  Change(netns_, Verb::kCreate, {Natted(0), Natted(1), Natted(2, "10.1.0.9")});
  Apply({Natted(0)}, true, false);
  EXPECT_EQ(Texts(netns_).size(), 3U);  // nothing goes before the end
  Apply({Natted(2)}, false, true);
  EXPECT_EQ(Texts(netns_), (std::vector<std::string>{Describe(Natted(0)), Describe(Natted(2))}));
}

TEST_F(InjectTest, ASnapshotOfWhatIsHeldTouchesNothing) {
  std::vector<Flow> flows;
  for (int i = 0; i < 3000; ++i) flows.push_back(Natted(i));
  Apply(flows, true, true);
  const auto before = Dump(netns_);
  Apply(flows, true, true);
  const auto after = Dump(netns_);
  ASSERT_EQ(after.size(), before.size());
  for (const auto& [text, flow] : after) EXPECT_EQ(flow.id, before.at(text).id) << text;
}

TEST_F(InjectTest, AReleaseGivesHeldEntriesTheirOwnTimeoutAndLeavesOthersAlone) {
  Apply({flow_}, true, true);
  Flow live = Natted(1);
  live.timeout = 1000;
  Change(netns_, Verb::kCreate, {live});
  injector_->Release();
  EXPECT_TRUE(WaitUntil(absl::Seconds(20),
                        [&] { return Dump(netns_).at(Describe(flow_)).timeout <= 432000; }));
  EXPECT_NEAR(Dump(netns_).at(Describe(live)).timeout, 1000, 5);
  Apply({flow_}, true, true);
  EXPECT_TRUE(IsHeld(Dump(netns_).at(Describe(flow_)).timeout));
}

// One that the kernel made itself, of a connection that stands; not liberal.
class OwnConnection {
 public:
  explicit OwnConnection(const Netns& netns) {
    netns.Shell(
        "ip link set lo up && nft 'add table ip own; add chain ip own out { type filter hook "
        "output "
        "priority 0; }; add rule ip own out ct state new accept'");
    netns.Run([this] {
      sockaddr_in at = {};
      at.sin_family = AF_INET;
      at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      at.sin_port = htons(4242);
      auto* address = reinterpret_cast<sockaddr*>(&at);
      server_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      client_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      ASSERT_EQ(::bind(server_.get(), address, sizeof at), 0);
      ASSERT_EQ(::listen(server_.get(), 1), 0);
      ASSERT_EQ(::connect(client_.get(), address, sizeof at), 0);
    });
  }

 private:
  UniqueFd server_, client_;
};

TEST_F(InjectTest, LooseningMakesTheKernelsOwnEntriesLiberalAndNothingElse) {
  const OwnConnection connection(netns_);
  const auto before = Dump(netns_);
  ASSERT_EQ(before.size(), 1U);
  ASSERT_EQ(before.begin()->second.tcp.original_flags & IP_CT_TCP_FLAG_BE_LIBERAL, 0);
  injector_->Loosen();
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] {
    const Tcp tcp = Dump(netns_).begin()->second.tcp;
    return (tcp.original_flags & tcp.reply_flags & IP_CT_TCP_FLAG_BE_LIBERAL) != 0;
  }));
  const auto after = Dump(netns_);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after.begin()->first, before.begin()->first);
  EXPECT_EQ(after.begin()->second.id, before.begin()->second.id);
}

TEST_F(InjectTest, RenewingHoldsEntriesAnew) {
  Apply({flow_, Natted(1)}, true, true);
  Flow aged = flow_;
  aged.timeout = 100;
  Change(netns_, Verb::kTimeout, {aged});
  Change(netns_, Verb::kDelete, {Natted(1)});
  injector_->Renew();
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] {
    const auto table = Dump(netns_);
    return table.size() == 2 && IsHeld(table.at(Describe(flow_)).timeout);
  }));
}

}  // namespace
}  // namespace zcluster::conntrack
