// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/event_program.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <random>

#include "agent/conntrack/parse.h"
#include "agent/conntrack/tuple.h"
#include "common/unique_fd.h"
#include "tests/agent/conntrack/netns.h"
#include "tests/agent/conntrack/rule.h"

namespace zcluster::conntrack {
namespace {

constexpr uint32_t kMuted = 4711;

// The kernel's own machine, on a socket through which we send what the kernel would.
class Machine {
 public:
  explicit Machine(const std::vector<sock_filter>& program) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    in_.Reset(ends[0]);
    out_.Reset(ends[1]);
    const sock_fprog filter{static_cast<unsigned short>(program.size()),
                            const_cast<sock_filter*>(program.data())};
    EXPECT_EQ(::setsockopt(out_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), 0)
        << strerror(errno);
  }

  bool Passes(const nlmsghdr& message) const {
    char ignored[4096];
    ::send(in_.get(), &message, message.nlmsg_len, 0);
    return ::recv(out_.get(), ignored, sizeof ignored, MSG_DONTWAIT) > 0;
  }

 private:
  UniqueFd in_, out_;
};

// As ctnetlink tells of a flow; `bytes` has room for 1 KiB.
const nlmsghdr& Event(char* bytes, const Flow& flow, bool gone, uint32_t cause = 0) {
  nlmsghdr* header =
      PutHeader(bytes, NFNL_SUBSYS_CTNETLINK, gone ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW, 0, 0,
                flow.key.family);
  header->nlmsg_pid = cause;
  const bool of_both = !flow.rare || flow.rare->zone_direction == ZoneDirection::kBoth;
  PutTuple(header, CTA_TUPLE_ORIG, flow.key, EndsOf(flow.key), of_both ? nullptr : &flow.key.zone);
  PutTuple(header, CTA_TUPLE_REPLY, flow.key, flow.reply);
  if (of_both && flow.key.zone != 0) mnl_attr_put_u16(header, CTA_ZONE, htons(flow.key.zone));
  mnl_attr_put_u32(header, CTA_STATUS, htonl(flow.status));
  return *header;
}

class Dice {
 public:
  explicit Dice(uint32_t seed) : random_(seed) {}
  size_t Below(size_t n) { return random_() % n; }
  bool Rarely() { return Below(4) == 0; }
  template <size_t N>
  std::string Of(const char* const (&choices)[N]) {
    return choices[Below(N)];
  }

 private:
  std::mt19937 random_;
};

// Few values, so that rules hold often.
const char* const kV4[] = {"10.0.0.1", "10.0.0.2", "10.0.1.1", "192.0.2.10", "10.128.0.1"};
const char* const kV6[] = {"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "fd00::10"};
const char* const kNetworks[] = {"10.0.0.0/8",    "10.0.0.1",       "10.0.0.0/31", "0.0.0.0/0",
                                 "10.128.0.0/9",  "2001:db8::/32",  "2001:db8::1", "::/0",
                                 "2001:db8::/63", "2001:db8::2/127"};
const char* const kPorts[] = {"1", "2", "1-2", "2-65535", "77"};
constexpr uint8_t kProtocols[] = {IPPROTO_TCP, IPPROTO_UDP,  IPPROTO_ICMP,
                                  IPPROTO_GRE, IPPROTO_SCTP, 50};

FlowRule AnyRule(Dice& dice) {
  FlowRule rule;
  if (dice.Rarely()) rule.protocol = kProtocols[dice.Below(std::size(kProtocols))];
  for (const char* field : {"address", "source", "destination"})
    if (dice.Rarely()) Set(rule, field, dice.Of(kNetworks));
  for (const char* field : {"port", "source_port", "destination_port"})
    if (dice.Rarely()) Set(rule, field, dice.Of(kPorts));
  if (dice.Rarely()) rule.zone = static_cast<uint16_t>(dice.Below(3));
  if (dice.Rarely()) Set(rule, "mark", "1");
  if (dice.Rarely()) Set(rule, "state", "SYN_SENT");
  rule.direction = static_cast<FlowRule::Direction>(dice.Below(3));
  return rule;
}

Flow AnyFlow(Dice& dice) {
  const bool v4 = dice.Below(2) == 0;
  uint8_t protocol = kProtocols[dice.Below(std::size(kProtocols))];
  if (!v4 && protocol == IPPROTO_ICMP) protocol = IPPROTO_ICMPV6;
  if (!v4 && protocol == IPPROTO_GRE) protocol = IPPROTO_UDPLITE;
  const auto address = [&] { return v4 ? dice.Of(kV4) : dice.Of(kV6); };
  const auto port = [&] { return static_cast<uint16_t>(protocol == 50 ? 0 : 1 + dice.Below(3)); };
  Flow flow = Plain(Key(protocol, address(), port(), address(), port()));
  flow.reply.source = Ip(address());
  flow.reply.source_port = port();
  flow.reply.destination = Ip(address());
  flow.reply.destination_port = port();
  flow.key.zone = static_cast<uint16_t>(dice.Below(3));
  if (dice.Rarely())
    flow = With(flow, [](Rare& rare) { rare.zone_direction = ZoneDirection::kOriginal; });
  return flow;
}

TEST(EventProgram, DropsExactlyWhatTheRulesNeverTake) {
  Dice dice(20261127);
  int dropped = 0, passed = 0;
  for (int i = 0; i < 400; ++i) {
    FlowRules all;
    for (size_t n = dice.Below(4); n > 0; --n) all.only.push_back(AnyRule(dice));
    for (size_t n = dice.Below(4); n > 0; --n) all.skip.push_back(AnyRule(dice));
    const Rules rules(all);
    const Machine machine(EventProgram(kMuted, rules));
    for (int j = 0; j < 100; ++j) {
      alignas(8) char bytes[1024] = {};
      const Flow told = AnyFlow(dice);
      const nlmsghdr& event = Event(bytes, told, dice.Rarely());
      Flow flow;
      ASSERT_TRUE(ParseFlow(event, flow));
      ASSERT_EQ(machine.Passes(event), rules.MayTake(flow)) << i << ": " << Describe(told);
      ++(rules.MayTake(flow) ? passed : dropped);
    }
  }
  EXPECT_GT(dropped, 5000);
  EXPECT_GT(passed, 5000);
}

TEST(EventProgram, DropsWhatTheMutedSocketDid) {
  for (const FlowRules& rules : {FlowRules{}, FlowRules{{}, {Rule("protocol", "udp")}}}) {
    const Machine machine(EventProgram(kMuted, Rules(rules)));
    alignas(8) char bytes[1024];
    EXPECT_FALSE(machine.Passes(Event(bytes, Natted(0), false, kMuted)));
    EXPECT_TRUE(machine.Passes(Event(bytes, Natted(0), false, kMuted + 1)));
  }
}

TEST(EventProgram, LetsExpectationsPass) {
  const Machine machine(EventProgram(kMuted, Rules({{Rule("protocol", "udp")}, {}})));
  alignas(8) char bytes[1024];
  auto& event = const_cast<nlmsghdr&>(Event(bytes, Natted(0), false));
  EXPECT_FALSE(machine.Passes(event));
  event.nlmsg_type = NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW;
  EXPECT_TRUE(machine.Passes(event));
}

TEST(EventProgram, LetsPassWhatTheKernelHasNoRoomFor) {
  const FlowRule longest = Rule("address", "2001:db8::1", "source", "2001:db8::1", "destination",
                                "2001:db8::2", "port", "1-2");
  FlowRules rules;
  for (int i = 0; i < 64; ++i) rules.skip.push_back(longest);
  rules.skip[0] = Rule("protocol", "udp");
  rules.skip[63] = Rule("protocol", "tcp");
  const std::vector<sock_filter> program = EventProgram(kMuted, Rules(rules));
  EXPECT_LE(program.size(), size_t{BPF_MAXINSNS});
  const Machine machine(program);
  alignas(8) char bytes[1024];
  EXPECT_TRUE(machine.Passes(Event(bytes, Natted(0), false)));
  EXPECT_FALSE(
      machine.Passes(Event(bytes, Plain(Key(IPPROTO_UDP, "10.0.0.1", 1, "10.0.0.2", 2)), false)));
}

}  // namespace
}  // namespace zcluster::conntrack
