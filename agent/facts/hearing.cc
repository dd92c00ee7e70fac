// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/hearing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "agent/core/facts.h"

namespace zcluster::facts {
namespace {

constexpr int kVrrp = 112;
// Without it keepalived, and filters that follow RFC 5798 (5.1.1.3), would not take an advert.
constexpr int kTtl = 255;
// More than that the socket's buffer does not hold.
constexpr int kMaxPackets = 4096;

// Version 3, type 1 (advert), router 0, priority 0, no addresses, an interval of 1 s.
constexpr unsigned char kNothing[] = {0x31, 0, 0, 0, 0, 100, 0, 0};

bool ToSocketAddress(const std::string& text, sockaddr_in& address) {
  address = {};
  address.sin_family = AF_INET;
  return ::inet_pton(AF_INET, text.c_str(), &address.sin_addr) == 1;
}

}  // namespace

void Hearing::Aim(const std::string& address, const std::string& peer_address,
                  absl::Duration patience) {
  patience_ = patience;
  if (address == address_ && peer_address == peer_address_) return;
  address_ = address;
  peer_address_ = peer_address;
  socket_.Reset();
}

bool Hearing::Open(Clock::time_point now) {
  if (socket_) return true;
  sockaddr_in own, peer;
  if (!ToSocketAddress(address_, own) || !ToSocketAddress(peer_address_, peer)) return false;
  UniqueFd socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, kVrrp));
  // Connected, it gets what is from the peer alone.
  if (!socket || ::setsockopt(socket.get(), IPPROTO_IP, IP_TTL, &kTtl, sizeof(kTtl)) != 0 ||
      ::bind(socket.get(), reinterpret_cast<sockaddr*>(&own), sizeof(own)) != 0 ||
      ::connect(socket.get(), reinterpret_cast<sockaddr*>(&peer), sizeof(peer)) != 0)
    return false;
  socket_ = std::move(socket);
  since_ = now;
  heard_ = false;
  return true;
}

std::optional<core::Fact> Hearing::Look(Clock::time_point now) {
  if (!Open(now)) return std::nullopt;
  // A full queue or a way that is gone: the peer notices.
  (void)::send(socket_.get(), kNothing, sizeof(kNothing), MSG_NOSIGNAL);
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
