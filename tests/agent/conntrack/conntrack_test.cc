// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/conntrack.h"

#include "tests/agent/conntrack/node.h"
#include "zcluster/v1/conntrack.grpc.pb.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

// Flows of every kind that is replicated.
std::vector<Flow> AllKinds() {
  Flow v6 = Plain(Key(IPPROTO_TCP, "2001:db8::7", 1024, "2001:db8:1::10", 443));
  v6.reply.source = Ip("fd00::2");
  v6.reply.destination = Ip("fd00::254");
  v6.status = 0x1be;
  Flow udp = Plain(Key(IPPROTO_UDP, "198.51.100.8", 5353, "192.0.2.10", 53));
  udp.reply.source = Ip("10.1.0.3");
  udp.status = 0x1ae;
  udp.mark = 77;
  Flow zoned = Plain(Key(IPPROTO_UDP, "2001:db8::7", 1, "2001:db8::8", 2));
  zoned.key.zone = 3;
  Flow one_way = With(zoned, [](Rare& rare) { rare.zone_direction = ZoneDirection::kReply; });
  one_way = With(one_way, [](Rare& rare) { rare.reply_zone = 4; });
  one_way.key.zone = 0;
  Flow sctp = Sctp(Key(IPPROTO_SCTP, "198.51.100.7", 1024, "192.0.2.10", 3868));
  sctp.reply.source = Ip("10.1.0.3");
  sctp.status = 0x1ae;
  Flow gre = Plain(Key(IPPROTO_GRE, "198.51.100.7", 0, "192.0.2.10", 0));
  gre.reply.source = Ip("10.1.0.3");
  gre.status = 0x1ae;
  const Flow control = Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 21));
  return {v6,
          udp,
          zoned,
          one_way,
          sctp,
          gre,
          Plain(Key(IPPROTO_ESP, "198.51.100.7", 0, "192.0.2.10", 0)),
          WithShift(WithHelper(control, "ftp"), 1000),
          WithMaster(Plain(Key(IPPROTO_TCP, "192.0.2.10", 20, "198.51.100.7", 5000)), control.key),
          Plain(Key(IPPROTO_ICMP, "198.51.100.7", 77, "192.0.2.10", 8 << 8)),
          Plain(Key(IPPROTO_ICMPV6, "2001:db8::7", 77, "2001:db8:1::10", 128 << 8))};
}

TEST(Conntrack, ASnapshotBringsWhatWasThereBefore) {
  Pair pair;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, AllKinds()), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(2000)), 0U);
  pair.Appoint(pair.a, 1);
  pair.ExpectEqual(2000 + AllKinds().size());
}

TEST(Conntrack, FlowsAppearChangeAndGoOnTheBackupToo) {
  Pair pair;
  pair.Appoint(pair.a, 1);
  std::vector<Flow> flows = NattedFlows(2000);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, flows), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, AllKinds()), 0U);
  pair.ExpectEqual(2000 + AllKinds().size());

  for (size_t i = 0; i < 1000; ++i) {
    flows[i].tcp.state = TCP_CONNTRACK_FIN_WAIT;
    flows[i].mark = static_cast<uint32_t>(i);
  }
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, flows), 0U);
  pair.ExpectEqual(2000 + AllKinds().size());

  flows.resize(1500);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, flows), 0U);
  pair.ExpectEqual(500 + AllKinds().size());
  EXPECT_EQ(pair.b.State().refused, 0U);
}

TEST(Conntrack, FlowsThatPacketsMakeThroughRealNatArriveEqual) {
  Pair pair;
  pair.a.netns().Shell(
      "ip link set lo up && ip addr add 10.9.0.1/24 dev lo && ip -6 addr add fd09::1/64 dev lo "
      "nodad && nft '"
      "table inet t { "
      "chain out { type nat hook output priority -100; udp dport 443 meta nfproto ipv4 dnat ip to "
      "10.9.0.3:8443; "
      "udp dport 443 meta nfproto ipv6 dnat ip6 to [fd09::1]:8443; }; "
      "chain post { type nat hook postrouting priority 100; udp dport 8443 ip saddr 10.9.0.1 snat "
      "ip to 10.9.0.4; }; "
      "}'");
  pair.Appoint(pair.a, 1);
  pair.a.netns().Run([] {
    for (uint16_t i = 0; i < 300; ++i) {
      const bool v6 = i % 3 == 0;
      const UniqueFd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0));
      sockaddr_in source{}, target{};
      sockaddr_in6 source6{}, target6{};
      source.sin_family = target.sin_family = AF_INET;
      source6.sin6_family = target6.sin6_family = AF_INET6;
      source.sin_port = source6.sin6_port = htons(static_cast<uint16_t>(20000 + i));
      target.sin_port = target6.sin6_port = htons(443);
      ::inet_pton(AF_INET, "10.9.0.1", &source.sin_addr);
      ::inet_pton(AF_INET, "10.9.0.2", &target.sin_addr);
      ::inet_pton(AF_INET6, "fd09::1", &source6.sin6_addr);
      ::inet_pton(AF_INET6, "fd09::1", &target6.sin6_addr);
      const auto* from =
          v6 ? reinterpret_cast<sockaddr*>(&source6) : reinterpret_cast<sockaddr*>(&source);
      const auto* to =
          v6 ? reinterpret_cast<sockaddr*>(&target6) : reinterpret_cast<sockaddr*>(&target);
      const socklen_t size = v6 ? sizeof source6 : sizeof source;
      ASSERT_EQ(::bind(fd.get(), from, size), 0);
      ASSERT_EQ(::sendto(fd.get(), "x", 1, 0, to, size), 1);
    }
  });
  pair.ExpectEqual(300);
}

TEST(Conntrack, BothDigestTheSameFlows) {
  Pair pair;
  pair.b.netns().Shell("ip link set lo up && ip addr add 10.7.0.2/24 dev lo");
  const Flow local = Plain(Key(IPPROTO_TCP, "10.7.0.9", 40000, "10.7.0.2", 22));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, AllKinds()), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {local}), 0U);
  const auto same = [&] {
    const core::ConntrackState a = pair.a.State(), b = pair.b.State();
    return a.digest != 0 && a.digest == b.digest && !a.differs && !b.differs;
  };
  pair.Appoint(pair.a, 1);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, same));
  const uint64_t before = pair.a.State().digest;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(3000)), 0U);
  EXPECT_TRUE(
      WaitUntil(Pair::kPatience, [&] { return same() && pair.a.State().digest != before; }));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, NattedFlows(3000)), 0U);
  EXPECT_TRUE(
      WaitUntil(Pair::kPatience, [&] { return same() && pair.a.State().digest == before; }));
  pair.Appoint(pair.b, 2);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, same));
}

// A backup of the first version, and what it was sent.
class OldBackup : public v1::ConntrackService::Service {
 public:
  grpc::Status Replicate(grpc::ServerContext*,
                         grpc::ServerReaderWriter<v1::FlowAck, v1::FlowBatch>* stream) override {
    stream->SendInitialMetadata();
    v1::FlowBatch batch;
    v1::FlowAck ack;
    while (stream->Read(&batch)) {
      {
        absl::MutexLock lock(&mutex_);
        flows_.insert(flows_.end(), batch.flows().begin(), batch.flows().end());
      }
      ack.set_sequence(batch.sequence());
      stream->Write(ack);
    }
    return grpc::Status::OK;
  }
  std::vector<v1::Flow> Flows() const {
    absl::MutexLock lock(&mutex_);
    return flows_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<v1::Flow> flows_ ABSL_GUARDED_BY(mutex_);
};

TEST(Conntrack, APeerOfTheFirstVersionIsSentWhatItTakes) {
  OldBackup backup;
  grpc::ServerBuilder builder;
  const std::unique_ptr<grpc::Server> server = builder.RegisterService(&backup).BuildAndStart();
  Node master;
  master.Start([&] { return server->InProcessChannel({}); });
  ASSERT_EQ(Change(master.netns(), Verb::kCreate, AllKinds()), 0U);
  master.Assume(core::Role::kMaster, 1);
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return master.State().synchronised; }));
  ASSERT_EQ(Change(master.netns(), Verb::kCreate, {Natted(1)}), 0U);
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] {
    const std::vector<v1::Flow> flows = backup.Flows();
    return !flows.empty() && flows.back().source_port() == Natted(1).key.source_port;
  }));
  for (const v1::Flow& flow : backup.Flows()) {
    EXPECT_FALSE(flow.has_rare()) << flow.ShortDebugString();
    EXPECT_TRUE(flow.protocol() == 1 || flow.protocol() == 6 || flow.protocol() == 17 ||
                flow.protocol() == 58)
        << flow.ShortDebugString();
  }
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return master.State().flows == 8; }));
  master.Stop();
  server->Shutdown(std::chrono::system_clock::now());
}

// A backup that does not hold what it was sent.
class LossyBackup : public v1::ConntrackService::Service {
 public:
  grpc::Status Replicate(grpc::ServerContext*,
                         grpc::ServerReaderWriter<v1::FlowAck, v1::FlowBatch>* stream) override {
    stream->SendInitialMetadata();
    v1::FlowBatch batch;
    v1::FlowAck ack;
    ack.set_digest(1);
    while (stream->Read(&batch)) {
      ack.set_sequence(batch.sequence());
      stream->Write(ack);
    }
    return grpc::Status::OK;
  }
};

TEST(Conntrack, ADifferenceThatLastsIsToldAndLeadsToANewSnapshot) {
  LossyBackup backup;
  grpc::ServerBuilder builder;
  const std::unique_ptr<grpc::Server> server = builder.RegisterService(&backup).BuildAndStart();
  Node master;
  master.Start([&] { return server->InProcessChannel({}); });
  ASSERT_EQ(Change(master.netns(), Verb::kCreate, NattedFlows(10)), 0U);
  master.Assume(core::Role::kMaster, 1);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return master.State().differs; }));
  EXPECT_EQ(master.State().digest, 1U);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return master.State().snapshots == 2; }));
  master.Stop();
  server->Shutdown(std::chrono::system_clock::now());
}

TEST(Conntrack, ASnapshotSweepsWhatTheMasterDoesNotHave) {
  Pair pair;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(100)), 0U);
  ASSERT_EQ(Change(pair.b.netns(), Verb::kCreate, NattedFlows(3000, "10.1.0.2", 50)), 0U);
  pair.Appoint(pair.a, 1);
  pair.ExpectEqual(100);
}

TEST(Conntrack, TheBackupsOwnConnectionsAreLeftAlone) {
  Pair pair;
  pair.b.netns().Shell("ip link set lo up && ip addr add 10.7.0.2/24 dev lo");
  const Flow ssh = Plain(Key(IPPROTO_TCP, "10.7.0.9", 40000, "10.7.0.2", 22));
  const Flow dns = Plain(Key(IPPROTO_UDP, "10.7.0.2", 40000, "10.7.0.9", 53));
  ASSERT_EQ(Change(pair.b.netns(), Verb::kCreate, {ssh, dns}), 0U);
  Flow stale = ssh;  // as the master remembers it from when the roles were swapped
  stale.tcp.state = TCP_CONNTRACK_CLOSE;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {stale, Natted(1)}), 0U);
  pair.Appoint(pair.a, 1);
  EXPECT_EQ(Texts(pair.b.netns()).size(), 3U);
  EXPECT_EQ(Dump(pair.b.netns()).count(Describe(ssh)), 1U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, {stale}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Natted(2)}), 0U);
  EXPECT_TRUE(WaitUntil(Pair::kPatience,
                        [&] { return Dump(pair.b.netns()).count(Describe(Natted(2))) == 1; }));
  EXPECT_EQ(Texts(pair.b.netns()).size(), 4U);
}

TEST(Conntrack, TheLinksOwnFlowsAndLoopbackAreNeverReplicated) {
  Options options;
  options.own_addresses = {"10.30.0.1", "10.30.0.2"};
  Pair pair(options);
  const Flow link = Plain(Key(IPPROTO_TCP, "10.30.0.1", 40000, "10.30.0.2", 7700));
  const Flow loopback = Plain(Key(IPPROTO_TCP, "127.0.0.1", 40000, "127.0.0.1", 22));
  const Flow other = Plain(Key(IPPROTO_TCP, "10.30.0.1", 40000, "10.30.0.9", 7700));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {link, loopback, other}), 0U);
  pair.Appoint(pair.a, 1);
  EXPECT_EQ(Texts(pair.b.netns()), std::vector<std::string>{Describe(other)});
}

TEST(Conntrack, WhatIsInTheWayGivesWay) {
  Pair pair;
  pair.Appoint(pair.a, 1);
  // A stray packet's entry: the same original direction, another backend; and one that has our
  // reply direction.
  Flow squatter = Natted(1);
  squatter.key.source_port = 9;
  ASSERT_EQ(Change(pair.b.netns(), Verb::kCreate, {Natted(0, "10.1.0.99"), squatter}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Natted(0), Natted(1)}), 0U);
  pair.ExpectEqual(2);
  EXPECT_EQ(pair.b.State().refused, 0U);
}

TEST(Conntrack, LostEventsAreMadeUpForWithoutANewSnapshot) {
  Options options;
  options.event_buffer = 4096;
  Pair pair(options);
  pair.Appoint(pair.a, 1);
  std::vector<Flow> flows = NattedFlows(20000);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, flows), 0U);
  pair.ExpectEqual(20000);
  flows.resize(10000);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, flows), 0U);
  pair.ExpectEqual(10000);
  ASSERT_TRUE(WaitUntil(
      Pair::kPatience, [&] { return pair.a.State().overruns > 0 && pair.a.State().synchronised; }));
  EXPECT_EQ(pair.a.State().snapshots, 1U);
  EXPECT_EQ(pair.b.State().snapshots, 1U);
}

TEST(Conntrack, AStreamThatBreaksComesBackWithASnapshot) {
  Pair pair;
  pair.Appoint(pair.a, 1);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(1000)), 0U);
  pair.ExpectEqual(1000);
  pair.b.StopServing();
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return !pair.a.State().synchronised && !pair.b.State().synchronised;
  }));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, NattedFlows(500)), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(500, "10.1.0.3", 5000)), 0U);
  pair.b.Serve();
  ASSERT_TRUE(WaitUntil(
      Pair::kPatience, [&] { return pair.a.State().synchronised && pair.b.State().synchronised; }));
  pair.ExpectEqual(1000);
}

TEST(Conntrack, RolesSwapAndSwapBack) {
  Pair pair;
  std::vector<Flow> flows = NattedFlows(500);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, flows), 0U);
  uint64_t term = 0;
  for (int round = 0; round < 4; ++round) {
    Node& master = round % 2 == 0 ? pair.a : pair.b;
    pair.Appoint(master, ++term);
    pair.ExpectEqual(flows.size());
    // Entries that were injected report their changes, and new ones join them.
    for (Flow& flow : flows) flow.mark = static_cast<uint32_t>(round) + 1;
    ASSERT_EQ(Change(master.netns(), Verb::kUpdate, flows), 0U);
    const std::vector<Flow> more = NattedFlows(100, "10.1.0.4", 10000 + 100 * round);
    ASSERT_EQ(Change(master.netns(), Verb::kCreate, more), 0U);
    flows.insert(flows.end(), more.begin(), more.end());
    pair.ExpectEqual(flows.size());
  }
  EXPECT_EQ(pair.a.State().refused + pair.b.State().refused, 0U);
}

TEST(Conntrack, FlushAnswersOnceTheBackupsKernelHasAll) {
  Pair pair;
  pair.Appoint(pair.a, 1);
  uint64_t operation = 0;
  for (int first = 0; first < 20000; first += 2000) {
    const std::vector<Flow> flows = NattedFlows(2000, "10.1.0.2", first);
    ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, flows), 0U);
    pair.a.Flush(++operation);
    ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return pair.a.Flushed().size() == operation; }));
    EXPECT_EQ(Texts(pair.b.netns()).size(), static_cast<size_t>(first + 2000));
  }
  EXPECT_EQ(pair.a.Flushed().back(), operation);
}

TEST(Conntrack, FlushWaitsForAPeerThatIsAway) {
  Pair pair;
  pair.Appoint(pair.a, 1);
  pair.b.StopServing();
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return !pair.a.State().synchronised; }));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(10)), 0U);
  pair.a.Flush(1);
  EXPECT_TRUE(pair.a.Flushed().empty());
  pair.b.Serve();
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return !pair.a.Flushed().empty(); }));
  EXPECT_EQ(Texts(pair.b.netns()).size(), 10U);
}

TEST(Conntrack, FlushOfANodeThatDoesNotLeadIsAnsweredAtOnce) {
  Pair pair;
  pair.a.Flush(5);
  EXPECT_TRUE(
      WaitUntil(Pair::kPatience, [&] { return pair.a.Flushed() == std::vector<uint64_t>{5}; }));
}

TEST(Conntrack, SwitchedOffItDoesNothingAndSaysSo) {
  Options options;
  options.replicate = false;
  Pair pair(options);
  pair.b.Assume(Role::kBackup, 1);
  pair.a.Assume(Role::kMaster, 1);
  EXPECT_EQ(pair.a.State().problem, "replication is switched off");
  EXPECT_FALSE(pair.a.State().synchronised);
  pair.a.Flush(1);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return pair.a.Flushed().size() == 1; }));
}

TEST(Conntrack, OnTheBackupNothingExpiresAndAPromotionGivesEachItsOwnTimeout) {
  Options options;
  options.hold = absl::Milliseconds(50);
  Pair pair(options);
  Flow short_lived = Plain(Key(IPPROTO_UDP, "198.51.100.8", 5353, "192.0.2.10", 53));
  short_lived.status = IPS_CONFIRMED | IPS_SEEN_REPLY;
  short_lived.timeout = 20;
  Flow closing = Natted(1);
  closing.tcp.state = TCP_CONNTRACK_TIME_WAIT;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {short_lived, closing, Natted(0)}), 0U);
  pair.Appoint(pair.a, 1);
  for (const auto& [text, flow] : Dump(pair.b.netns()))
    EXPECT_GT(flow.timeout, 86400U * 30) << text;

  pair.b.netns().Shell("echo 77 > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait");
  pair.b.Assume(Role::kMaster, 2);
  std::map<std::string, Flow> table;
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] {
    table = Dump(pair.b.netns());
    return std::all_of(table.begin(), table.end(),
                       [](const auto& at) { return at.second.timeout < 86400 * 30; });
  }));
  ASSERT_EQ(table.size(), 3U);
  EXPECT_NEAR(table[Describe(short_lived)].timeout, 30, 2);
  EXPECT_NEAR(table[Describe(closing)].timeout, 77, 2);
  EXPECT_NEAR(table[Describe(Natted(0))].timeout, 432000, 100);
}

TEST(Conntrack, ALostMasterReleasesItsFlowsAndItsReturnHoldsThemAgain) {
  Options options;
  options.hold = absl::Milliseconds(50);
  Pair pair(options);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(300)), 0U);
  pair.Appoint(pair.a, 1);
  const auto held = [&] {
    const auto table = Dump(pair.b.netns());
    return std::count_if(table.begin(), table.end(),
                         [](const auto& at) { return at.second.timeout > 86400 * 30; });
  };
  EXPECT_EQ(held(), 300);
  pair.b.StopServing();
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return held() == 0; }));
  pair.b.Serve();
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return held() == 300; }));
  pair.ExpectEqual(300);
}

TEST(Conntrack, ANodeThatTakesNoPartAnyMoreReleasesItsFlows) {
  Options options;
  options.hold = absl::Milliseconds(50);
  Pair pair(options);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Natted(0)}), 0U);
  pair.Appoint(pair.a, 1);
  pair.b.Assume(Role::kFault, 1);
  EXPECT_TRUE(WaitUntil(Pair::kPatience,
                        [&] { return Dump(pair.b.netns()).begin()->second.timeout <= 432000; }));
  EXPECT_FALSE(pair.b.State().synchronised);
}

TEST(Conntrack, ANodeInMaintenanceIsKeptSynchronised) {
  Pair pair;
  pair.a.Assume(Role::kMaster, 1);
  pair.b.Assume(Role::kMaintenance, 1);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(10)), 0U);
  pair.ExpectEqual(10);
}

TEST(Conntrack, StartTurnsTheKernelsEventsOn) {
  Pair pair;
  pair.a.netns().Shell("test $(cat /proc/sys/net/netfilter/nf_conntrack_events) = 1");
}

TEST(Conntrack, AWrongLinkAddressIsAnError) {
  Options options;
  options.own_addresses = {"nowhere"};
  Node node(options);
  node.Listen(node);
  EXPECT_EQ(node.started().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace zcluster::conntrack
