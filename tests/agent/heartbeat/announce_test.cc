// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/announce.h"

#include <gmock/gmock.h>
#include <linux/if_packet.h>
#include <net/if.h>

#include "absl/strings/escaping.h"
#include "common/interface.h"
#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

constexpr HardwareAddress kHardware = {0x02, 0, 0, 0, 0, 0x0a};

std::string Hex(const std::string& frame) {
  return absl::BytesToHexString(absl::string_view(frame.data(), frame.size()));
}

TEST(GratuitousArp, IsARequestOrAReplyAboutTheVip) {
  const Address vip = *Address::Parse("192.0.2.100/24");
  // Ethernet header, then type, lengths, operation; sender's and target's hardware and protocol
  // addresses.
  EXPECT_EQ(Hex(GratuitousArp(vip, kHardware, /*reply=*/false)),
            "ffffffffffff02000000000a0806"
            "0001080006040001"
            "02000000000ac0000264"
            "000000000000c0000264");
  EXPECT_EQ(Hex(GratuitousArp(vip, kHardware, /*reply=*/true)),
            "ffffffffffff02000000000a0806"
            "0001080006040002"
            "02000000000ac0000264"
            "ffffffffffffc0000264");
}

TEST(UnsolicitedAdvertisement, OverridesAndSaysWhetherWeRoute) {
  const Address vip = *Address::Parse("2001:db8::100/64");
  const std::string frame = UnsolicitedAdvertisement(vip, kHardware, /*router=*/false);
  EXPECT_EQ(Hex(frame.substr(0, 54)),
            "33330000000102000000000a86dd"
            "600000000020"
            "3aff"
            "20010db8000000000000000000000100"
            "ff020000000000000000000000000001");
  EXPECT_EQ(Hex(frame.substr(54, 2)), "8800");
  EXPECT_EQ(Hex(frame.substr(58)),
            "20000000"
            "20010db8000000000000000000000100"
            "020102000000000a");
  EXPECT_EQ(Hex(UnsolicitedAdvertisement(vip, kHardware, /*router=*/true).substr(58, 4)),
            "a0000000");
}

// What arrives at a node. It counts gratuitous ARP replies, which are ours alone (keepalived sends
// requests), and neighbour advertisements.
class Wiretap {
 public:
  Wiretap() : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL))) {}

  int replies() { return Read().replies_; }
  int advertisements() { return Read().advertisements_; }

 private:
  Wiretap& Read() {
    char frame[2048];
    while (true) {
      sockaddr_ll from = {};
      socklen_t length = sizeof from;
      const ssize_t n = ::recvfrom(fd_.get(), frame, sizeof frame, 0,
                                   reinterpret_cast<sockaddr*>(&from), &length);
      if (n < 0) return *this;
      if (from.sll_pkttype == PACKET_OUTGOING) continue;
      const absl::string_view bytes(frame, static_cast<size_t>(n));
      if (n >= 42 && bytes.substr(12, 2) == absl::string_view("\x08\x06", 2) && bytes[21] == 2 &&
          bytes.substr(28, 4) == bytes.substr(38, 4)) {
        ++replies_;
      }
      if (n >= 86 && bytes.substr(12, 2) == absl::string_view("\x86\xdd", 2) && bytes[54] == '\x88')
        ++advertisements_;
    }
  }

  UniqueFd fd_;
  int replies_ = 0;
  int advertisements_ = 0;
};

class AnnounceTest : public HeartbeatTest {
 protected:
  std::string Neighbours() {
    auto output = MakeMemoryFile();
    auto child =
        Child::Start({.argv = {"/usr/sbin/ip", "-n", b_->network(), "neigh", "show", "dev", "eth0"},
                      .output = output->get()});
    EXPECT_TRUE(WaitUntil(kLimit, [&] { return child->Exit().has_value(); }));
    return ReadMemoryFile(output->get());
  }
};

TEST_F(AnnounceTest, CorrectsTheNeighboursTables) {
  Must({"-n", a_->network(), "link", "set", "eth0", "address", "02:00:00:00:00:0a"});
  for (const char* vip : {"192.0.2.100", "2001:db8::100"}) {
    Must({"-n", b_->network(), "neigh", "add", vip, "lladdr", "02:00:00:00:00:ff", "nud", "stale",
          "dev", "eth0"});
  }
  std::unique_ptr<Announcer> announcer;
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->On([] { return InterfaceRuns("eth0"); }); }));
  a_->On([&] {
    announcer = std::make_unique<Announcer>(a_->loop(), a_->vips);
    announcer->Begin();
  });
  // The kernel checks the advertisement's checksum and hop limit.
  EXPECT_TRUE(WaitUntil(kLimit, [&] {
    const std::string seen = Neighbours();
    return seen.find("192.0.2.100 lladdr 02:00:00:00:00:0a") != std::string::npos &&
           seen.find("2001:db8::100 lladdr 02:00:00:00:00:0a") != std::string::npos;
  })) << Neighbours();
  a_->On([&] { announcer.reset(); });
}

TEST_F(AnnounceTest, RepeatsWhileMasterAndNoLonger) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  std::unique_ptr<Wiretap> tap(b_->On([] { return new Wiretap; }));
  a_->Perform(core::Announce{});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return tap->replies() == 1; }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return tap->replies() == 2; }));
  EXPECT_GE(tap->advertisements(), 2);
  a_->Perform(core::SetFault{"switchover"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(core::VrrpState::kFault); }));
  const int before = tap->replies();
  EXPECT_FALSE(WaitUntil(absl::Seconds(5), [&] { return tap->replies() > before; }));
}

TEST_F(AnnounceTest, PacesManyVips) {
  constexpr int kVips = 300;
  std::vector<Vip> vips;
  for (int i = 0; i < kVips; ++i)
    vips.push_back({absl::StrCat("198.51.", i / 200, ".", i % 200 + 1, "/32"), "eth0"});
  vips.push_back({"198.51.3.1/32", "lo"});       // nobody to tell
  vips.push_back({"198.51.3.2/32", "missing"});  // nothing to tell it by
  std::unique_ptr<Wiretap> tap(b_->On([] { return new Wiretap; }));
  std::unique_ptr<Announcer> announcer;
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->On([] { return InterfaceRuns("eth0"); }); }));
  const absl::Time begin = absl::Now();
  a_->On([&] {
    announcer = std::make_unique<Announcer>(a_->loop(), vips);
    announcer->Begin();
  });
  ASSERT_TRUE(WaitUntil(absl::Milliseconds(900), [&] { return tap->replies() == kVips; }))
      << tap->replies();
  // A request and a reply each: 600 frames are twelve bursts, with a pause between.
  EXPECT_GE(absl::Now() - begin, 11 * Announcer::kPause);
  a_->On([&] { announcer.reset(); });
}

}  // namespace
}  // namespace zcluster::heartbeat
