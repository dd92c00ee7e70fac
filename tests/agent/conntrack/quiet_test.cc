// SPDX-License-Identifier: Apache-2.0
// Flows that say nothing for long, of every kind and state, with the kernel's timeouts shrunk: the
// backup's entries live exactly as long as the master's, and after a takeover as long as their
// state allows there.
#include <set>
#include <string>

#include "agent/conntrack/timeouts.h"
#include "tests/agent/conntrack/path.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

// A flow, which of the kernel's timeouts it has (nf_conntrack_…), and what follows the IP header of
// a packet that changes nothing in it but starts that timeout anew. Empty: there is none.
struct Kind {
  std::string timeout;
  Flow flow;
  std::string packet = {};
};

constexpr char kHere[] = "10.9.0.1", kThere[] = "10.9.0.2";

std::string Bytes(std::initializer_list<int> bytes) { return {bytes.begin(), bytes.end()}; }

// Of TCP, from port 256 + `state` to 443; from a flow's first end.
std::string TcpPacket(int state, int flags) {
  return Bytes({1, state, 1, 187, 0, 0, 0, 9, 0, 0, 0, 9, 0x50, flags, 1, 0, 0, 0, 0, 0});
}

Kind OfTcp(uint8_t state, const std::string& timeout, int flags) {
  Flow flow = Plain(Key(IPPROTO_TCP, kHere, static_cast<uint16_t>(256 + state), kThere, 443));
  flow.tcp.state = state;
  return {"tcp_timeout_" + timeout, flow, flags == 0 ? "" : TcpPacket(state, flags)};
}

Kind OfSctp(uint8_t state, const std::string& timeout) {
  const FlowKey key = Key(IPPROTO_SCTP, kHere, static_cast<uint16_t>(256 + state), kThere, 3868);
  return {"sctp_timeout_" + timeout, Sctp(key, state)};
}

Flow Unanswered(Flow flow) {
  flow.status = IPS_CONFIRMED;
  return flow;
}

Kind Stream() {
  return {"udp_timeout_stream", Plain(Key(IPPROTO_UDP, kHere, 1024, kThere, 1280)),
          Bytes({4, 0, 5, 0, 0, 8, 0, 0})};
}

// All but Stream().
std::vector<Kind> AllKinds() {
  constexpr int kAck = 16;
  const FlowKey gre = Key(IPPROTO_GRE, kHere, 0, kThere, 0);
  FlowKey lonely = gre;
  lonely.destination = Ip("10.9.0.3");
  return {
      OfTcp(TCP_CONNTRACK_SYN_SENT, "syn_sent", 0),
      OfTcp(TCP_CONNTRACK_SYN_RECV, "syn_recv", 0),
      OfTcp(TCP_CONNTRACK_ESTABLISHED, "established", kAck),
      OfTcp(TCP_CONNTRACK_FIN_WAIT, "fin_wait", 0),
      OfTcp(TCP_CONNTRACK_CLOSE_WAIT, "close_wait", kAck),
      OfTcp(TCP_CONNTRACK_LAST_ACK, "last_ack", 0),
      OfTcp(TCP_CONNTRACK_TIME_WAIT, "time_wait", kAck),
      OfTcp(TCP_CONNTRACK_CLOSE, "close", kAck),
      OfSctp(1, "closed"),
      OfSctp(2, "cookie_wait"),
      OfSctp(3, "cookie_echoed"),
      OfSctp(4, "established"),
      OfSctp(5, "shutdown_sent"),
      OfSctp(6, "shutdown_recd"),
      OfSctp(7, "shutdown_ack_sent"),
      {"udp_timeout", Unanswered(Plain(Key(IPPROTO_UDP, kHere, 1025, kThere, 1280))),
       Bytes({4, 1, 5, 0, 0, 8, 0, 0})},
      {"udp_timeout", Unanswered(Plain(Key(IPPROTO_UDP, "2001:db8::7", 1, "2001:db8::8", 2)))},
      {"icmp_timeout", Plain(Key(IPPROTO_ICMP, kHere, 77, kThere, 8 << 8)),
       Bytes({8, 0, 0, 0, 0, 77, 0, 1})},
      {"icmpv6_timeout", Plain(Key(IPPROTO_ICMPV6, "2001:db8::7", 7, "2001:db8::8", 128 << 8))},
      {"gre_timeout", Unanswered(Plain(lonely))},
      {"gre_timeout_stream", Plain(gre)},
      {"generic_timeout", Plain(Key(IPPROTO_ESP, kHere, 0, kThere, 0)),
       Bytes({0, 0, 0, 1, 0, 0, 0, 1})},
  };
}

void SetTimeout(const Netns& netns, const std::string& name, int seconds) {
  netns.Shell(absl::StrCat("echo ", seconds, " > /proc/sys/net/netfilter/nf_conntrack_", name));
}

// A packet of `kind` goes through the kernel, and from there to nobody.
void Touch(const Netns& netns, const Kind& kind) {
  const UniqueFd socket = Socket(netns, SOCK_RAW, kind.flow.key.protocol, At(kHere, 0));
  const End there = At(kThere, 0);
  ASSERT_EQ(
      ::sendto(socket.get(), kind.packet.data(), kind.packet.size(), 0, there.get(), there.size),
      static_cast<ssize_t>(kind.packet.size()));
}

class Quiet : public testing::Test {
 protected:
  Quiet() {
    pair_.a.netns().Shell(
        "ip link add sink type veth peer name drain && ip addr add 10.9.0.1/24 dev sink && "
        "ip link set sink up && ip link set drain up && "
        "ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev sink && "
        "nft 'table ip t { chain out { type filter hook output priority 0; ct state new accept; }; "
        "}'");
    kinds_.push_back(Stream());
    std::vector<Flow> flows;
    for (const Kind& kind : kinds_) flows.push_back(kind.flow);
    EXPECT_EQ(Change(pair_.a.netns(), Verb::kCreate, flows), 0U);
    pair_.Appoint(pair_.a, 1);
    pair_.ExpectEqual(kinds_.size());
  }

  void Promote(Node& node) {
    node.Assume(Role::kMaster, 2);
    EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
      const auto table = Dump(node.netns());
      return std::none_of(table.begin(), table.end(),
                          [](const auto& at) { return IsHeld(at.second.timeout); });
    }));
  }

  static Options Soon() {
    Options options;
    options.hold = absl::Milliseconds(20);
    return options;
  }

  Pair pair_{Soon()};
  std::vector<Kind> kinds_ = AllKinds();
};

TEST_F(Quiet, OnTheBackupEachLivesAsLongAsOnTheMaster) {
  const Netns& master = pair_.a.netns();
  const Netns& backup = pair_.b.netns();
  int next = 0;
  for (const Kind& kind : kinds_) {
    SetTimeout(master, kind.timeout, 2 + next++ % 3);
    SetTimeout(backup, kind.timeout, 1);
  }
  SetTimeout(master, Stream().timeout, 2);
  for (Kind& kind : kinds_) {
    // As a packet would.
    kind.flow.timeout = 3;
    if (kind.flow.key.protocol == IPPROTO_GRE) {  // of an entry that was made so it is fixed
      EXPECT_EQ(Change(master, Verb::kDelete, {kind.flow}), 0U);
      EXPECT_EQ(Change(master, Verb::kCreate, {kind.flow}), 0U);
    } else if (kind.packet.empty()) {
      EXPECT_EQ(Change(master, Verb::kTimeout, {kind.flow}), 0U);
    } else {
      Touch(master, kind);
    }
  }
  for (const auto& [text, flow] : Dump(master)) ASSERT_LE(flow.timeout, 4U) << text;
  pair_.a.Flush(1);
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [this] { return pair_.a.Flushed().size() == 1; }));

  // By their names: a packet's marks in TCP's flags are no event.
  const auto names = [](const Netns& netns) {
    std::set<std::string> found;
    for (const auto& [text, flow] : Dump(netns)) found.insert(Text(flow.key));
    return found;
  };
  const std::set<std::string> stream = {Text(Stream().flow.key)};
  std::set<std::string> here, there;
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    Touch(master, Stream());
    there = names(backup);
    here = names(master);
    // Alive later on the master, so it was before on the backup.
    for (const std::string& name : here) EXPECT_EQ(there.count(name), 1U) << name;
    return here.size() == 1 || HasFailure();
  })) << testing::PrintToString(here);
  // It has long outlived its timeout, of which its packets told nobody.
  EXPECT_EQ(here, stream);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return Dump(backup).size() == 1; }));
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return Dump(master).empty(); }));
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return Dump(backup).empty(); }));
  EXPECT_EQ(pair_.a.State().snapshots, 1U);
}

TEST_F(Quiet, AfterATakeoverEachHasTheTimeoutOfItsStateThere) {
  std::map<std::string, uint32_t> own;
  for (const Kind& kind : kinds_) {
    if (own.count(kind.timeout) != 0) continue;
    own[kind.timeout] = 1000 + 100 * static_cast<uint32_t>(own.size());
    SetTimeout(pair_.b.netns(), kind.timeout, static_cast<int>(own[kind.timeout]));
    SetTimeout(pair_.a.netns(), kind.timeout, 5);
  }
  Promote(pair_.b);
  std::map<std::string, Flow> table = Dump(pair_.b.netns());
  ASSERT_EQ(table.size(), kinds_.size());
  for (const Kind& kind : kinds_) {
    const uint32_t expected = kind.flow.key.protocol == IPPROTO_GRE ? kGreLife : own[kind.timeout];
    const uint32_t actual = table[Describe(kind.flow)].timeout;
    EXPECT_LE(actual, expected) << kind.timeout;
    EXPECT_GT(actual, expected - 100) << kind.timeout;
  }
}

TEST_F(Quiet, AfterATakeoverWhatStaysQuietEndsByItself) {
  for (const Kind& kind : kinds_) SetTimeout(pair_.b.netns(), kind.timeout, 1);
  Promote(pair_.b);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    const auto table = Dump(pair_.b.netns());
    // GRE's cannot be set in an entry that exists, nor changed by packets.
    return std::all_of(table.begin(), table.end(),
                       [](const auto& at) { return at.second.key.protocol == IPPROTO_GRE; });
  }));
}

}  // namespace
}  // namespace zcluster::conntrack
