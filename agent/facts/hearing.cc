// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/hearing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "agent/core/facts.h"
#include "common/check.h"
#include "common/vrrp.h"

namespace zcluster::facts {
namespace {

// More than that the socket's buffer does not hold.
constexpr int kMaxPackets = 4096;

// Version 3, type 1 (advert), router 0, priority 0, no addresses, an interval of 1 s.
constexpr unsigned char kNothing[] = {0x31, 0, 0, 0, 0, 100, 0, 0};

bool ToSocketAddress(const std::string& text, sockaddr_in& address) {
  address = {};
  address.sin_family = AF_INET;
  return ::inet_pton(AF_INET, text.c_str(), &address.sin_addr) == 1;
}

sockaddr_in Group() {
  sockaddr_in group;
  ZC_CHECK(ToSocketAddress(vrrp::kGroup, group));
  return group;
}

// Of what is to `own`, or to the group on its interface.
bool SetUp(int socket, const sockaddr_in& own, bool multicast) {
  if (!multicast) {
    return ::setsockopt(socket, IPPROTO_IP, IP_TTL, &vrrp::kTtl, sizeof(vrrp::kTtl)) == 0 &&
           ::bind(socket, reinterpret_cast<const sockaddr*>(&own), sizeof(own)) == 0;
  }
  const sockaddr_in group = Group();
  const ip_mreq membership = {.imr_multiaddr = group.sin_addr, .imr_interface = own.sin_addr};
  const int loop = 0;
  return ::setsockopt(socket, IPPROTO_IP, IP_MULTICAST_TTL, &vrrp::kTtl, sizeof(vrrp::kTtl)) == 0 &&
         ::setsockopt(socket, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof(loop)) == 0 &&
         ::setsockopt(socket, IPPROTO_IP, IP_MULTICAST_IF, &own.sin_addr, sizeof(own.sin_addr)) ==
             0 &&
         ::setsockopt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof(membership)) ==
             0 &&
         ::bind(socket, reinterpret_cast<const sockaddr*>(&group), sizeof(group)) == 0;
}

}  // namespace

void Hearing::Aim(const Target& target, absl::Duration patience) {
  patience_ = patience;
  if (target == target_) return;
  target_ = target;
  socket_.Reset();
}

bool Hearing::Open(Clock::time_point now) {
  if (socket_) return true;
  sockaddr_in own, peer;
  if (!ToSocketAddress(target_.address, own) || !ToSocketAddress(target_.peer_address, peer))
    return false;
  UniqueFd socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, vrrp::kProtocol));
  if (!socket || !SetUp(socket.get(), own, target_.multicast)) return false;
  // Connected, it gets what is from the peer alone.
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&peer), sizeof(peer)) != 0) return false;
  to_ = target_.multicast ? Group() : peer;
  socket_ = std::move(socket);
  since_ = now;
  heard_ = false;
  return true;
}

std::optional<core::Fact> Hearing::Look(Clock::time_point now) {
  if (!Open(now)) return std::nullopt;
  // A full queue or a way that is gone: the peer notices.
  (void)::sendto(socket_.get(), kNothing, sizeof(kNothing), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&to_), sizeof(to_));
  for (int i = 0; i < kMaxPackets; ++i) {
    char packet[1];  // what it says does not matter
    if (::recv(socket_.get(), packet, sizeof(packet), MSG_TRUNC) >= 0) {
      heard_ = true;
      since_ = now;
    } else if (errno == EAGAIN) {
      break;
    }
  }
  const bool silent = now - since_ > absl::ToChronoNanoseconds(patience_);
  if (!heard_ && !silent) return std::nullopt;
  return core::Fact{std::string(core::fact::kHeartbeat), silent ? "silent" : "heard"};
}

}  // namespace zcluster::facts
