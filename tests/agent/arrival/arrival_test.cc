// SPDX-License-Identifier: Apache-2.0
// On real sockets in a network namespace: needs root.
#include "agent/arrival/arrival.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "absl/time/clock.h"
#include "tests/support/netns.h"

namespace zcluster::arrival {
namespace {

using What = core::NetworkSeen::What;

// Sends a few bytes from 127.0.0.1.
void Send(const char* to, int type, int protocol) {
  const UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, protocol));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  ASSERT_EQ(::inet_pton(AF_INET, to, &address.sin_addr), 1);
  ASSERT_EQ(::sendto(fd.get(), "hello", 5, 0, reinterpret_cast<const sockaddr*>(&address),
                     sizeof address),
            5);
}
void SendAdvert() { Send("127.0.0.1", SOCK_RAW, 112); }
void SendPacket(const char* to) { Send(to, SOCK_DGRAM, 0); }

// Keeps what it is told, in order.
struct Sink : EventSink {
  void Report(core::Event event) override {
    if (const auto* one = std::get_if<core::NetworkSeen>(&event)) seen.push_back(*one);
  }
  bool Has(What what) const {
    return std::any_of(seen.begin(), seen.end(), [&](const auto& one) { return one.what == what; });
  }
  std::vector<core::NetworkSeen> seen;
};

// Runs `script` on a loop, in a namespace with a VIP on lo; each step of it waits for what it
// needs.
class ArrivalTest : public testing::Test {
 protected:
  void Run(Options options, const std::function<void(Loop&, Arrival&)>& begin,
           const std::function<bool()>& done) {
    netns_.Shell("ip link set lo up && ip addr add 192.0.2.100/32 dev lo");
    netns_.Run([&] {
      Loop loop;
      Arrival arrival(loop, std::move(options));
      ASSERT_TRUE(arrival.Start(sink_).ok());
      loop.Post([&] { begin(loop, arrival); });
      const auto look = loop.Every(absl::Milliseconds(5), [&] {
        if (done()) loop.Quit();
      });
      const auto limit = loop.After(absl::Seconds(20), [&] {
        ADD_FAILURE() << "only " << sink_.seen.size() << " sights";
        loop.Quit();
      });
      loop.Run();
      arrival.Stop();
    });
  }
  Netns netns_;
  Sink sink_;
};

TEST_F(ArrivalTest, TellsAdvertAddressAndFirstPacket) {
  Run(
      {"127.0.0.1", {"192.0.2.100"}},
      [&](Loop&, Arrival& arrival) {
        SendAdvert();
        arrival.Perform(core::Announce{});
        SendPacket("127.0.0.1");  // to no VIP
        SendPacket("192.0.2.100");
        SendPacket("192.0.2.100");
      },
      [&] { return sink_.Has(What::kFirstPacket); });
  ASSERT_EQ(sink_.seen.size(), 3u);
  EXPECT_EQ(sink_.seen[0].what, What::kLastAdvert);
  EXPECT_LE(sink_.seen[0].after, absl::ZeroDuration());
  EXPECT_EQ(sink_.seen[1].what, What::kVips);
  EXPECT_EQ(sink_.seen[2].what, What::kFirstPacket);
  EXPECT_GE(sink_.seen[2].after, absl::ZeroDuration());
}

TEST_F(ArrivalTest, WaitsForTheAddress) {
  bool added = false;
  Run(
      {"127.0.0.1", {"192.0.2.100", "2001:db8::100"}},
      [&](Loop&, Arrival& arrival) {
        arrival.Perform(core::Announce{});
        EXPECT_TRUE(sink_.seen.empty());
        added = std::system("ip addr add 2001:db8::100/128 dev lo nodad") == 0;
      },
      [&] { return sink_.Has(What::kVips); });
  EXPECT_TRUE(added);
}

TEST_F(ArrivalTest, AStrangersAdvertIsNotThePeers) {
  Run(
      {"192.0.2.9", {"192.0.2.100"}},
      [&](Loop&, Arrival& arrival) {
        SendAdvert();
        arrival.Perform(core::Announce{});
      },
      [&] { return sink_.Has(What::kVips); });
  EXPECT_FALSE(sink_.Has(What::kLastAdvert));
}

TEST_F(ArrivalTest, WithoutVipsOnlyTheAdvertIsTold) {
  Run(
      {"127.0.0.1", {}},
      [&](Loop&, Arrival& arrival) {
        SendAdvert();
        arrival.Perform(core::Announce{});
      },
      [&] { return !sink_.seen.empty(); });
  EXPECT_EQ(sink_.seen.size(), 1u);
}

}  // namespace
}  // namespace zcluster::arrival
