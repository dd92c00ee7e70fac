// SPDX-License-Identifier: Apache-2.0
// Each kind of flow goes on through a failover and through another one back, by real packets: there
// are two backends, the node that takes over refuses everything new, and a control run without
// replication loses every one of them.
#include "tests/agent/conntrack/path.h"

namespace zcluster::conntrack {
namespace {

constexpr int kAnswer = 5000;   // ms; an answer comes at once
constexpr int kNoAnswer = 300;  // ms

// Says something through the VIP, and returns which backend answered; or nothing.
class Talk {
 public:
  virtual ~Talk() = default;
  virtual std::string Say(int patience) = 0;
};

std::string Vip(bool v6) { return v6 ? "fd08::100" : "10.8.0.100"; }
std::string Client(bool v6) { return v6 ? "fd08::7" : "10.8.0.7"; }

class UdpTalk : public Talk {
 public:
  UdpTalk(const Path& path, bool v6, uint16_t port)
      : backends_(path.server, v6, SOCK_DGRAM, IPPROTO_UDP, port,
                  [](const std::string&, const std::string& backend) { return backend; }),
        socket_(Socket(path.client, SOCK_DGRAM, IPPROTO_UDP, At(Client(v6), 4444))),
        vip_(At(Vip(v6), port)) {}

  std::string Say(int patience) override {
    ::sendto(socket_.get(), "x", 1, 0, vip_.get(), vip_.size);
    return Receive(socket_.get(), patience);
  }

 private:
  Backends backends_;
  UniqueFd socket_;
  const End vip_;
};

// What the backends' kernel answers, which tells nobody which backend it was.
class EchoTalk : public Talk {
 public:
  EchoTalk(const Path& path, bool v6)
      : v6_(v6),
        socket_(Socket(path.client, SOCK_RAW, v6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP},
                       At(Client(v6), 0))),
        vip_(At(Vip(v6), 0)) {}

  std::string Say(int patience) override {
    std::string echo = {static_cast<char>(v6_ ? 128 : 8), 0, 0, 0, 0, 77, 0,
                        static_cast<char>(++number_)};
    if (!v6_) {  // the kernel sums IPv6's
      const uint32_t sum = 0xffffU - (0x0800U + 77U + static_cast<uint32_t>(number_));
      echo[2] = static_cast<char>(sum >> 8);
      echo[3] = static_cast<char>(sum & 0xff);
    }
    ::sendto(socket_.get(), echo.data(), echo.size(), 0, vip_.get(), vip_.size);
    const absl::Time end = absl::Now() + absl::Milliseconds(patience);
    while (absl::Now() < end) {
      std::string answer = Receive(socket_.get(), patience);
      if (!v6_ && answer.size() >= 28) answer = answer.substr(20);
      if (answer.size() < 8) continue;
      const auto type = static_cast<uint8_t>(answer[0]);
      if (type == (v6_ ? 129 : 0) && answer[5] == 77 && answer[7] == static_cast<char>(number_))
        return "answered";
    }
    return "";
  }

 private:
  const bool v6_;
  UniqueFd socket_;
  const End vip_;
  int number_ = 0;
};

// GRE without keys, or a protocol that no tracker knows.
class RawTalk : public Talk {
 public:
  RawTalk(const Path& path, bool v6, int protocol)
      : v6_(v6),
        backends_(path.server, v6, SOCK_RAW, protocol, 0,
                  [](const std::string&, const std::string& backend) {
                    // NAT of GRE drops what is shorter.
                    return absl::StrCat(std::string("\0\0\x08\0", 4), backend, "......");
                  }),
        socket_(Socket(path.client, SOCK_RAW, protocol, At(Client(v6), 0))),
        vip_(At(Vip(v6), 0)) {}

  std::string Say(int patience) override {
    const std::string packet("\0\0\x08\0hello", 9);
    ::sendto(socket_.get(), packet.data(), packet.size(), 0, vip_.get(), vip_.size);
    const std::string answer = Receive(socket_.get(), patience);
    const size_t header = v6_ ? 4 : 24;
    return answer.size() > header ? answer.substr(header) : "";
  }

 private:
  const bool v6_;
  Backends backends_;
  UniqueFd socket_;
  const End vip_;
};

// An association, its packets made by hand: the kernel here has no SCTP of its own.
class SctpTalk : public Talk {
 public:
  SctpTalk(const Path& path, bool v6)
      : v6_(v6),
        backends_(path.server, v6, SOCK_RAW, IPPROTO_SCTP, 0,
                  [v6](const std::string& packet, const std::string& backend) {
                    return Answer(packet.substr(v6 ? 0 : 20), backend);
                  }),
        socket_(Socket(path.client, SOCK_RAW, IPPROTO_SCTP, At(Client(v6), 0))),
        vip_(At(Vip(v6), 0)) {}

  std::string Say(int patience) override {
    if (!open_) {
      open_ = true;
      if (Exchange(0, kInit, Tag(kClientTag), patience).empty()) return "";
      if (Exchange(kServerTag, kCookieEcho, "cook", patience).empty()) return "";
    }
    return Exchange(kServerTag, kData, "hello...", patience);
  }

 private:
  static constexpr char kData = 0, kInit = 1, kInitAck = 2, kCookieEcho = 10, kCookieAck = 11;
  static constexpr uint32_t kClientTag = 0x11111111, kServerTag = 0x22222222;
  static constexpr uint16_t kPort = 3868;

  // The beginning of an INIT or INIT ACK: tag, window, streams, first number.
  static std::string Tag(uint32_t tag) {
    return Number(tag) + Number(65536) + Number(0x00010001) + Number(1);
  }
  static std::string Number(uint32_t number) {
    number = htonl(number);
    return std::string(reinterpret_cast<const char*>(&number), 4);
  }
  static std::string Packet(uint16_t from, uint16_t to, uint32_t tag, char chunk,
                            const std::string& body) {
    return Number(static_cast<uint32_t>(from) << 16 | to) + Number(tag) + Number(0) +
           Number(static_cast<uint32_t>(chunk) << 24 | static_cast<uint32_t>(body.size() + 4)) +
           body;
  }
  static std::string Answer(const std::string& packet, const std::string& backend) {
    if (packet.size() < 16) return "";
    uint16_t from = 0;
    std::memcpy(&from, packet.data(), 2);
    const auto reply = [&](char chunk, const std::string& body) {
      return Packet(kPort, ntohs(from), kClientTag, chunk, body);
    };
    switch (packet[12]) {
      case kInit:
        return reply(kInitAck, Tag(kServerTag));
      case kCookieEcho:
        return reply(kCookieAck, "");
      case kData:
        return reply(kData, backend + "......");
      default:
        return "";
    }
  }
  std::string Exchange(uint32_t tag, char chunk, const std::string& body, int patience) {
    const std::string packet = Packet(5000, kPort, tag, chunk, body);
    ::sendto(socket_.get(), packet.data(), packet.size(), 0, vip_.get(), vip_.size);
    const std::string answer = Receive(socket_.get(), patience);
    const size_t header = v6_ ? 16 : 36;
    return answer.size() < header ? "" : absl::StrCat(answer.substr(header), "!");
  }

  const bool v6_;
  Backends backends_;
  UniqueFd socket_;
  const End vip_;
  bool open_ = false;
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Talk>(Path&)> open;
};

template <typename T, typename... Arguments>
std::function<std::unique_ptr<Talk>(Path&)> Open(Arguments... arguments) {
  return [=](Path& path) { return std::make_unique<T>(path, arguments...); };
}

// With rules that concern UDP's port `port`.
std::function<std::unique_ptr<Talk>(Path&)> WithRules(
    uint16_t port, std::vector<std::pair<std::string, std::string>> rules) {
  return [=](Path& path) {
    for (const auto& [chain, rule] : rules) path.Rule("ip", chain, rule);
    return std::make_unique<UdpTalk>(path, false, port);
  };
}

class EachKind : public testing::TestWithParam<Kind> {
 protected:
  static Options Labels() {
    Options options;
    options.labels = true;
    return options;
  }
  // All that happened on the master is in the backup's kernel.
  void Flush(Node& master) {
    const size_t before = master.Flushed().size();
    master.Flush(before + 1);
    ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return master.Flushed().size() > before; }));
  }
  Path path_{Labels()};
};

TEST_P(EachKind, GoesOnThroughAFailoverAndThroughAnotherOneBack) {
  path_.pair.Appoint(path_.pair.a, 1);
  const std::unique_ptr<Talk> talk = GetParam().open(path_);
  const std::string backend = talk->Say(kAnswer);
  ASSERT_NE(backend, "");
  ASSERT_EQ(talk->Say(kAnswer), backend);
  Flush(path_.pair.a);

  path_.MoveTo(path_.pair.b);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(talk->Say(kAnswer), backend) << "after the failover";
  path_.pair.Appoint(path_.pair.b, 2);
  EXPECT_EQ(talk->Say(kAnswer), backend);
  Flush(path_.pair.b);

  path_.MoveTo(path_.pair.a);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(talk->Say(kAnswer), backend) << "back again";
  EXPECT_EQ(path_.pair.a.State().refused + path_.pair.b.State().refused, 0U);
}

TEST_P(EachKind, IsLostWithoutReplication) {
  const std::unique_ptr<Talk> talk = GetParam().open(path_);
  ASSERT_NE(talk->Say(kAnswer), "");
  path_.MoveTo(path_.pair.b);
  EXPECT_EQ(talk->Say(kNoAnswer), "");
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, EachKind,
    testing::Values(
        Kind{"Udp", Open<UdpTalk>(false, uint16_t{53})},
        Kind{"UdpOverIpv6", Open<UdpTalk>(true, uint16_t{53})}, Kind{"Echo", Open<EchoTalk>(false)},
        Kind{"EchoOverIpv6", Open<EchoTalk>(true)}, Kind{"Sctp", Open<SctpTalk>(false)},
        Kind{"SctpOverIpv6", Open<SctpTalk>(true)}, Kind{"Gre", Open<RawTalk>(false, IPPROTO_GRE)},
        Kind{"Esp", Open<RawTalk>(false, IPPROTO_ESP)},
        Kind{"Zone", WithRules(5002, {{"raw", "udp dport 5002 ct zone set 5"},
                                      {"raw", "udp sport 5002 ct zone set 5"}})},
        Kind{"ZoneOfTheOriginalDirection",
             WithRules(5001, {{"raw", "udp dport 5001 ct original zone set 7"}})},
        Kind{"ZoneOfTheReplyDirection",
             WithRules(5003, {{"raw", "udp dport 5003 ct reply zone set 8"},
                              {"raw", "udp sport 5003 ct zone set 8"}})},
        Kind{"Mark", WithRules(5004, {{"filt", "ct state new ct mark set 9"},
                                      {"filt", "ct state established ct mark != 9 drop"}})},
        Kind{"Label", WithRules(5005, {{"filt", "ct state new ct label set 3"},
                                       {"filt", "ct state established ct label != 3 drop"}})}),
    [](const auto& at) { return at.param.name; });

}  // namespace
}  // namespace zcluster::conntrack
