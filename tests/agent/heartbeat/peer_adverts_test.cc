// SPDX-License-Identifier: Apache-2.0
// Over a real wire: what is an advert of the peer's, and what only looks like one.
#include "agent/heartbeat/peer_adverts.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <array>

#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

using Packet = std::array<unsigned char, 8>;

constexpr Packet kAdvert = {0x31, 51, 252, 0, 0, 100, 0, 0};

class PeerAdvertsTest : public HeartbeatTest {
 protected:
  PeerAdvertsTest() : options_(a_->MakeOptions()), heard_(options_) {
    a_->On([&] { EXPECT_FALSE(heard_.Take()); });
    Must({"-n", b_->network(), "addr", "add", "192.0.2.77/24", "dev", "eth0"});
  }
  // From the peer to this node.
  void Send(const Packet& packet, int ttl = 255, const std::string& from = "192.0.2.2") {
    b_->On([&] {
      const UniqueFd socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 112));
      sockaddr_in own = {}, peer = {};
      own.sin_family = peer.sin_family = AF_INET;
      ::inet_pton(AF_INET, from.c_str(), &own.sin_addr);
      ::inet_pton(AF_INET, "192.0.2.1", &peer.sin_addr);
      ASSERT_EQ(::setsockopt(socket.get(), IPPROTO_IP, IP_TTL, &ttl, sizeof ttl), 0);
      ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
      ASSERT_EQ(::sendto(socket.get(), packet.data(), packet.size(), 0,
                         reinterpret_cast<sockaddr*>(&peer), sizeof peer),
                static_cast<ssize_t>(packet.size()));
    });
  }
  bool Take() {
    return a_->On([&] { return heard_.Take(); });
  }

  Options options_;
  PeerAdverts heard_;
};

TEST_F(PeerAdvertsTest, AreHeardOnceHoweverMany) {
  EXPECT_FALSE(Take());
  for (int i = 0; i < 1000; ++i) Send(kAdvert);
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return Take(); }));
  EXPECT_FALSE(Take());
  Send(kAdvert);
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return Take(); }));
}

TEST_F(PeerAdvertsTest, AreNoneOfWhatOnlyLooksLikeThem) {
  Send({0x31, 51, 0, 0, 0, 100, 0, 0});    // it leaves
  Send({0x31, 0, 252, 0, 0, 100, 0, 0});   // of nobody: how the agents try the way
  Send({0x31, 52, 252, 0, 0, 100, 0, 0});  // of another pair
  Send({0x21, 51, 252, 0, 0, 100, 0, 0});  // of version 2
  Send(kAdvert, 64);                       // from far away
  Send(kAdvert, 255, "192.0.2.77");        // from somebody else
  // The kernel delivers in order, so all of these are there before this one.
  const UniqueFd last(
      a_->On([] { return ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 112); }));
  Send({0x31, 99, 1, 0, 0, 100, 0, 0});
  char packet[64];
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return ::recv(last.get(), packet, sizeof packet, 0) > 0; }));
  EXPECT_FALSE(Take());
}

TEST_F(PeerAdvertsTest, AreThoseOfTheRouterThatTheOptionsNameByNow) {
  options_.router_id = 52;
  EXPECT_FALSE(Take());
  Send({0x31, 52, 252, 0, 0, 100, 0, 0});
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return Take(); }));
}

TEST_F(PeerAdvertsTest, AreThoseOfTheRealOne) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  (void)Take();  // from when it was not clear yet who is master
  EXPECT_FALSE(Take());
  a_->Perform(core::SetFault{"switchover"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return Take(); }));
}

}  // namespace
}  // namespace zcluster::heartbeat
