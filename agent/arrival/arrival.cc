// SPDX-License-Identifier: Apache-2.0
#include "agent/arrival/arrival.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>

#include "absl/time/clock.h"
#include "common/log.h"
#include "common/status.h"
#include "common/vrrp.h"

namespace zcluster::arrival {
namespace {

// Reads of one wake-up: the loop has others to serve.
constexpr int kMaxReads = 64;
// Between two looks at the interfaces' addresses; also how exact that is.
constexpr absl::Duration kLook = absl::Milliseconds(10);
// The header of IPv6; what an IPv4 header needs is within.
constexpr size_t kHeader = 40;
// An advert that is older was not the one that was missed.
constexpr absl::Duration kRecent = absl::Minutes(2);

struct Packet {
  char bytes[kHeader];
  size_t length = 0;
  sockaddr_storage from = {};
  absl::Time at;  // as the kernel took it
};

// The next one that waits; false: none.
bool Receive(int fd, Packet& packet) {
  iovec part = {packet.bytes, sizeof packet.bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
  msghdr message = {};
  message.msg_name = &packet.from;
  message.msg_namelen = sizeof packet.from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t n = ::recvmsg(fd, &message, MSG_DONTWAIT);
  if (n < 0) return false;
  packet.length = static_cast<size_t>(n);
  packet.at = absl::Now();
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET &&
      header->cmsg_type == SCM_TIMESTAMPNS) {
    timespec time = {};
    std::memcpy(&time, CMSG_DATA(header), sizeof time);
    packet.at = absl::TimeFromTimespec(time);
  }
  return true;
}

// A raw socket without a right, or none at all, costs the measurement alone.
UniqueFd Listen(int family, int type, int protocol) {
  UniqueFd fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  const int on = 1;
  if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  return fd;
}

// The bytes of an address; empty if it is none.
std::string BytesOf(const std::string& text) {
  char bytes[sizeof(in6_addr)];
  if (::inet_pton(AF_INET, text.c_str(), bytes) == 1) return std::string(bytes, sizeof(in_addr));
  if (::inet_pton(AF_INET6, text.c_str(), bytes) == 1) return std::string(bytes, sizeof(in6_addr));
  return "";
}

// Where it goes; empty: it is no packet of IP.
std::string DestinationOf(const Packet& packet) {
  sockaddr_ll from = {};
  std::memcpy(&from, &packet.from, sizeof from);
  if (from.sll_pkttype != PACKET_HOST) return "";
  const uint16_t protocol = ntohs(from.sll_protocol);
  if (protocol == ETH_P_IP && packet.length >= 20) return std::string(packet.bytes + 16, 4);
  if (protocol == ETH_P_IPV6 && packet.length >= kHeader) return std::string(packet.bytes + 24, 16);
  return "";
}

// Those of `wanted` that interfaces have.
size_t CountPresent(const std::set<std::string>& wanted) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return 0;
  std::set<std::string> present;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    std::string bytes;
    if (one->ifa_addr->sa_family == AF_INET) {
      sockaddr_in address = {};
      std::memcpy(&address, one->ifa_addr, sizeof address);
      bytes.assign(reinterpret_cast<const char*>(&address.sin_addr), sizeof address.sin_addr);
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 address = {};
      std::memcpy(&address, one->ifa_addr, sizeof address);
      bytes.assign(reinterpret_cast<const char*>(&address.sin6_addr), sizeof address.sin6_addr);
    }
    if (wanted.count(bytes) > 0) present.insert(std::move(bytes));
  }
  ::freeifaddrs(list);
  return present.size();
}

}  // namespace

Arrival::Arrival(Loop& loop, Options options) : loop_(loop) { TakeOptions(std::move(options)); }

Arrival::~Arrival() { Stop(); }

void Arrival::TakeOptions(Options options) {
  peer_ = {};
  ::inet_pton(AF_INET, options.peer_address.c_str(), &peer_);
  vips_.clear();
  for (const std::string& vip : options.vips) vips_.insert(BytesOf(vip));
}

void Arrival::Reconfigure(Options options) { TakeOptions(std::move(options)); }

absl::Status Arrival::Start(EventSink& events) {
  events_ = &events;
  // Beside keepalived's own: the kernel gives each raw socket a copy, after our table has dropped
  // what strangers send.
  adverts_ = Listen(AF_INET, SOCK_RAW, vrrp::kProtocol);
  if (!adverts_) {
    log::Warning("adverts_not_measured", {{"error", std::string(ErrnoStatus("socket").message())}});
    return absl::OkStatus();
  }
  watch_adverts_ = loop_.WatchReadable(adverts_.get(), [this] { ReadAdverts(); });
  return absl::OkStatus();
}

void Arrival::Stop() {
  watch_adverts_.reset();
  watch_packets_.reset();
  look_for_vips_.reset();
  patience_.reset();
  adverts_.Reset();
  packets_.Reset();
  events_ = nullptr;
}

void Arrival::Perform(const core::Action& action) {
  if (events_ != nullptr && std::holds_alternative<core::Announce>(action)) Begin();
}

void Arrival::ReadAdverts() {
  Packet packet;
  for (int i = 0; i < kMaxReads && Receive(adverts_.get(), packet); ++i) {
    sockaddr_in from = {};
    std::memcpy(&from, &packet.from, sizeof from);
    if (from.sin_addr.s_addr == peer_.s_addr) last_advert_ = packet.at;
  }
}

void Arrival::Begin() {
  begun_ = absl::Now();
  watch_packets_.reset();
  look_for_vips_.reset();
  if (adverts_) ReadAdverts();  // what came just now
  if (begun_ - last_advert_ < kRecent) {
    // What came before the kernel began to stamp has the time at which it was read.
    Tell(core::NetworkSeen::What::kLastAdvert, std::min(last_advert_, begun_));
  }
  if (vips_.empty()) return;
  packets_ = Listen(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
  packets_left_ = kMaxPackets;
  if (packets_) {
    watch_packets_ = loop_.WatchReadable(packets_.get(), [this] { ReadPackets(); });
  }
  look_for_vips_ = loop_.Every(kLook, [this] { LookForVips(); });
  patience_ = loop_.After(kPatience, [this] {
    look_for_vips_.reset();
    watch_packets_.reset();
    packets_.Reset();
  });
  LookForVips();
}

void Arrival::LookForVips() {
  if (CountPresent(vips_) < vips_.size()) return;
  look_for_vips_.reset();
  Tell(core::NetworkSeen::What::kVips, absl::Now());
}

void Arrival::ReadPackets() {
  Packet packet;
  for (int i = 0; i < kMaxReads && Receive(packets_.get(), packet); ++i) {
    const bool seen = vips_.count(DestinationOf(packet)) > 0;
    if (!seen && --packets_left_ > 0) continue;
    watch_packets_.reset();
    packets_.Reset();
    if (seen) Tell(core::NetworkSeen::What::kFirstPacket, packet.at);
    return;
  }
}

void Arrival::Tell(core::NetworkSeen::What what, absl::Time at) {
  events_->Report(core::NetworkSeen{what, absl::Trunc(at - begun_, absl::Microseconds(1))});
}

}  // namespace zcluster::arrival
