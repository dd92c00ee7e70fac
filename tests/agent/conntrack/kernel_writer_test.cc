// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/kernel_writer.h"

#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

// What is written must be what the kernel tells: building, the kernel, and parsing in one.
void ExpectRoundTrip(const Flow& flow) {
  Netns netns;
  ASSERT_EQ(Change(netns, Verb::kCreate, {flow}), 0U) << Describe(flow);
  const auto table = Dump(netns);
  ASSERT_EQ(table.size(), 1U);
  EXPECT_EQ(table.begin()->first, Describe(flow));
}

Flow WithNat(Flow flow, const std::string& backend, const std::string& own, uint16_t own_port) {
  flow.reply.source = Ip(backend);
  flow.reply.source_port = 8443;
  flow.reply.destination = Ip(own);
  flow.reply.destination_port = own_port;
  flow.status = 0x1be;
  return flow;
}

TEST(KernelWriter, PlainTcpComesBack) {
  ExpectRoundTrip(Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 443)));
  ExpectRoundTrip(Plain(Key(IPPROTO_TCP, "2001:db8::7", 1024, "2001:db8:1::10", 443)));
}

TEST(KernelWriter, UdpComesBack) {
  Flow flow = Plain(Key(IPPROTO_UDP, "198.51.100.7", 5353, "192.0.2.10", 53));
  flow.mark = 0xdeadbeef;
  ExpectRoundTrip(flow);
  flow = Plain(Key(IPPROTO_UDP, "2001:db8::7", 5353, "2001:db8:1::10", 53));
  flow.status = IPS_CONFIRMED;  // nobody answered yet
  ExpectRoundTrip(flow);
}

TEST(KernelWriter, IcmpEchoComesBack) {
  ExpectRoundTrip(Plain(Key(IPPROTO_ICMP, "198.51.100.7", 77, "192.0.2.10", 8 << 8)));
  ExpectRoundTrip(Plain(Key(IPPROTO_ICMPV6, "2001:db8::7", 77, "2001:db8:1::10", 128 << 8)));
}

TEST(KernelWriter, IcmpEchoWithSnatAndAnotherIdComesBack) {
  Flow flow = Plain(Key(IPPROTO_ICMP, "198.51.100.7", 77, "192.0.2.10", 8 << 8));
  flow.reply.destination = Ip("192.0.2.1");
  flow.reply.source_port = 78;
  flow.status = 0x19e;
  ExpectRoundTrip(flow);
}

TEST(KernelWriter, DnatAndSnatComeBackWithTheirStatusBits) {
  ExpectRoundTrip(WithNat(Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 443)),
                          "10.1.0.2", "10.1.0.254", 40000));
  ExpectRoundTrip(WithNat(Plain(Key(IPPROTO_TCP, "2001:db8::7", 1024, "2001:db8:1::10", 443)),
                          "fd00::2", "fd00::254", 40000));
}

TEST(KernelWriter, DnatAloneAndSnatAloneComeBack) {
  Flow dnat = Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 443));
  dnat.reply.source = Ip("10.1.0.2");
  dnat.status = 0x1ae;
  ExpectRoundTrip(dnat);
  Flow snat = Plain(Key(IPPROTO_UDP, "10.1.0.2", 1024, "198.51.100.7", 53));
  snat.reply.destination = Ip("192.0.2.10");
  snat.reply.destination_port = 2048;
  snat.status = 0x19e;
  ExpectRoundTrip(snat);
}

TEST(KernelWriter, AFlowThatNatLeftAloneComesBackAsDone) {
  Flow flow = Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 443));
  flow.status = 0x18e;
  ExpectRoundTrip(flow);
}

TEST(KernelWriter, EveryTcpStateComesBack) {
  for (uint8_t state = TCP_CONNTRACK_SYN_SENT; state <= TCP_CONNTRACK_SYN_SENT2; ++state) {
    Flow flow = Natted(0);
    flow.tcp.state = state;
    ExpectRoundTrip(flow);
  }
}

TEST(KernelWriter, EverySctpStateComesBackWithItsTags) {
  for (uint8_t state = 1; state <= 8; ++state) {
    Flow flow = Sctp(Key(IPPROTO_SCTP, "198.51.100.7", 1024, "192.0.2.10", 3868), state);
    ExpectRoundTrip(WithNat(flow, "10.1.0.2", "10.1.0.254", 40000));
    ExpectRoundTrip(Sctp(Key(IPPROTO_SCTP, "2001:db8::7", 1024, "2001:db8:1::10", 3868), state));
  }
}

TEST(KernelWriter, GreComesBackWithItsKeys) {
  Flow flow = Plain(Key(IPPROTO_GRE, "198.51.100.7", 0, "192.0.2.10", 0));
  ExpectRoundTrip(flow);
  flow.reply.source = Ip("10.1.0.2");
  flow.status = 0x1ae;
  ExpectRoundTrip(flow);
  ExpectRoundTrip(Plain(Key(IPPROTO_GRE, "198.51.100.7", 7, "192.0.2.10", 9)));
}

TEST(KernelWriter, AProtocolThatTheKernelDoesNotKnowIsItsAddresses) {
  Flow esp = Plain(Key(IPPROTO_ESP, "198.51.100.7", 0, "192.0.2.10", 0));
  ExpectRoundTrip(esp);
  esp.reply.source = Ip("10.1.0.2");
  esp.reply.destination = Ip("10.1.0.254");
  esp.status = 0x1be;
  ExpectRoundTrip(esp);
  ExpectRoundTrip(Plain(Key(IPPROTO_IPIP, "2001:db8::7", 0, "2001:db8:1::10", 0)));
}

TEST(KernelWriter, UdpLiteComesBack) {
  ExpectRoundTrip(Plain(Key(IPPROTO_UDPLITE, "198.51.100.7", 5353, "192.0.2.10", 53)));
}

TEST(KernelWriter, DccpIsNotReadBack) {
  Netns netns;
  Change(netns, Verb::kCreate, {Plain(Key(IPPROTO_DCCP, "198.51.100.7", 0, "192.0.2.10", 0))});
  EXPECT_TRUE(Texts(netns).empty());
}

TEST(KernelWriter, ZonesOfOneDirectionComeBackAndAreFound) {
  for (const ZoneDirection direction : {ZoneDirection::kOriginal, ZoneDirection::kReply}) {
    const bool original = direction == ZoneDirection::kOriginal;
    Flow flow = With(Natted(0), [&](Rare& rare) {
      rare.zone_direction = direction;
      rare.reply_zone = original ? uint16_t{0} : uint16_t{9};
    });
    flow.key.zone = original ? uint16_t{9} : uint16_t{0};
    ExpectRoundTrip(flow);
    Netns netns;
    ASSERT_EQ(Change(netns, Verb::kCreate, {flow}), 0U);
    flow.mark = 3;
    EXPECT_EQ(Change(netns, Verb::kUpdate, {flow}), 0U);
    EXPECT_EQ(Texts(netns), std::vector<std::string>{Describe(flow)});
    EXPECT_EQ(Change(netns, Verb::kDeleteByReply, {flow}), 0U);
    EXPECT_TRUE(Texts(netns).empty());
  }
}

TEST(KernelWriter, LabelsComeBackWhereARuleUsesThemAndAreNoErrorElsewhere) {
  Netns with, without;
  with.Shell("nft 'table t { chain c { ct label set 1; }; }'");
  Flow flow = WithLabels(Natted(0), 1);
  ASSERT_EQ(Change(with, Verb::kCreate, {flow}), 0U);
  EXPECT_EQ(Texts(with), std::vector<std::string>{Describe(flow)});
  flow = WithLabels(Natted(0), 6);
  ASSERT_EQ(Change(with, Verb::kUpdate, {flow}), 0U);
  EXPECT_EQ(Texts(with), std::vector<std::string>{Describe(flow)});
  ASSERT_EQ(Change(without, Verb::kCreate, {flow}), 0U);
  EXPECT_EQ(Texts(without), std::vector<std::string>{Describe(Natted(0))});
}

TEST(KernelWriter, ShiftedSequenceNumbersComeBackAndChange) {
  ExpectRoundTrip(WithShift(Natted(0), 1000));
  Netns netns;
  ASSERT_EQ(Change(netns, Verb::kCreate, {Natted(0)}), 0U);
  ASSERT_EQ(Change(netns, Verb::kUpdate, {WithShift(Natted(0), 0xfffffff0)}), 0U);
  EXPECT_EQ(Texts(netns), std::vector<std::string>{Describe(WithShift(Natted(0), 0xfffffff0))});
}

TEST(KernelWriter, AHelperComesBackAndAnUpdateLeavesIt) {
  Flow flow = Natted(0);
  flow.key.destination_port = 21;
  flow = WithHelper(flow, "ftp");
  ExpectRoundTrip(flow);
  Netns netns;
  ASSERT_EQ(Change(netns, Verb::kCreate, {flow}), 0U);
  flow.mark = 3;
  EXPECT_EQ(Change(netns, Verb::kUpdate, {flow}), 0U);
  EXPECT_EQ(Texts(netns), std::vector<std::string>{Describe(flow)});
  EXPECT_EQ(Change(netns, Verb::kCreate, {WithHelper(Natted(1), "nobody")}), 1U);
}

TEST(KernelWriter, ARelatedFlowComesBackWithItsMaster) {
  for (const bool v6 : {false, true}) {
    const Flow master = v6 ? Plain(Key(IPPROTO_TCP, "2001:db8::7", 1024, "2001:db8:1::10", 21))
                           : Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 21));
    Flow related = v6 ? Plain(Key(IPPROTO_TCP, "2001:db8:1::10", 20, "2001:db8::7", 5000))
                      : Plain(Key(IPPROTO_TCP, "192.0.2.10", 20, "198.51.100.7", 5000));
    related = WithMaster(related, master.key);
    Netns netns;
    EXPECT_EQ(Change(netns, Verb::kCreate, {related}), 1U) << "made before its master";
    ASSERT_EQ(Change(netns, Verb::kCreate, {master, related}), 0U);
    EXPECT_EQ(Dump(netns).count(Describe(related)), 1U);
    related.tcp.state = TCP_CONNTRACK_FIN_WAIT;
    ASSERT_EQ(Change(netns, Verb::kUpdate, {related}), 0U);
    EXPECT_EQ(Dump(netns).count(Describe(related)), 1U);
  }
}

TEST(KernelWriter, ZonesKeepFlowsApart) {
  Netns netns;
  Flow flow = Natted(0);
  Flow zoned = flow;
  zoned.key.zone = 7;
  ASSERT_EQ(Change(netns, Verb::kCreate, {flow, zoned}), 0U);
  EXPECT_EQ(Texts(netns).size(), 2U);
  ASSERT_EQ(Change(netns, Verb::kDelete, {zoned}), 0U);
  EXPECT_EQ(Texts(netns), std::vector<std::string>{Describe(flow)});
}

TEST(KernelWriter, InjectedTcpIsLiberal) {
  Netns netns;
  ASSERT_EQ(Change(netns, Verb::kCreate, {Natted(0)}), 0U);
  const Flow found = Dump(netns).begin()->second;
  EXPECT_NE(found.tcp.original_flags & IP_CT_TCP_FLAG_BE_LIBERAL, 0);
  EXPECT_NE(found.tcp.reply_flags & IP_CT_TCP_FLAG_BE_LIBERAL, 0);
}

TEST(KernelWriter, UpdatesAnEntryWithNat) {
  Netns netns;
  Flow flow = Natted(0);
  ASSERT_EQ(Change(netns, Verb::kCreate, {flow}), 0U);
  flow.tcp.state = TCP_CONNTRACK_FIN_WAIT;
  flow.mark = 5;
  ASSERT_EQ(Change(netns, Verb::kUpdate, {flow}), 0U);
  EXPECT_EQ(Texts(netns), std::vector<std::string>{Describe(flow)});
}

TEST(KernelWriter, NamesWhatTheKernelRefusesAndDoesTheRest) {
  Netns netns;
  std::vector<Flow> flows;
  for (int i = 0; i < 1000; ++i) flows.push_back(Natted(i));
  ASSERT_EQ(Change(netns, Verb::kCreate, {flows[0], flows[500], flows[999]}), 0U);
  netns.Run([&] {
    absl::StatusOr<KernelWriter> writer = KernelWriter::Open();
    ASSERT_TRUE(writer.ok());
    for (const Flow& flow : flows) writer->Add(Verb::kCreate, flow, 60);
    const std::vector<KernelWriter::Refusal> refused = writer->Flush();
    ASSERT_EQ(refused.size(), 3U);
    EXPECT_EQ(refused[1].key, flows[500].key);
    EXPECT_EQ(refused[1].error, EEXIST);
    writer->Add(Verb::kUpdate, Natted(2000), 60);
    ASSERT_EQ(writer->Flush().size(), 1U);
    EXPECT_TRUE(writer->Empty());
  });
  EXPECT_EQ(Texts(netns).size(), 1000U);
}

TEST(KernelWriter, GetsOneEntry) {
  Netns netns;
  ASSERT_EQ(Change(netns, Verb::kCreate, {Natted(3)}), 0U);
  netns.Run([&] {
    absl::StatusOr<KernelWriter> writer = KernelWriter::Open();
    ASSERT_TRUE(writer.ok());
    absl::StatusOr<absl::optional<Flow>> found = writer->Get(Natted(3).key);
    ASSERT_TRUE(found.ok() && found->has_value());
    EXPECT_EQ(Describe(**found), Describe(Natted(3)));
    found = writer->Get(Natted(4).key);
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(found->has_value());
  });
}

TEST(KernelWriter, DeletesWhatHasTheReplyDirection) {
  Netns netns;
  const Flow flow = Natted(3);
  ASSERT_EQ(Change(netns, Verb::kCreate, {flow}), 0U);
  Flow other = flow;
  other.key.source_port = 9;  // only the reply direction is the same
  ASSERT_EQ(Change(netns, Verb::kDeleteByReply, {other}), 0U);
  EXPECT_TRUE(Texts(netns).empty());
}

}  // namespace
}  // namespace zcluster::conntrack
