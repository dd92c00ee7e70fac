// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/announce.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/file.h"
#include "common/log.h"

namespace zcluster::heartbeat {
namespace {

constexpr std::array<absl::Duration, 2> kAgain = {absl::Seconds(1), absl::Seconds(5)};
constexpr HardwareAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr HardwareAddress kAllNodesMulticast = {0x33, 0x33, 0, 0, 0, 1};  // ff02::1's (RFC 2464, 7)

template <typename T>
void Append(const T& value, std::string& frame) {
  frame.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string EthernetHeader(const HardwareAddress& to, const HardwareAddress& from, uint16_t type) {
  ether_header header = {};
  std::memcpy(header.ether_dhost, to.data(), to.size());
  std::memcpy(header.ether_shost, from.data(), from.size());
  header.ether_type = htons(type);
  std::string frame;
  Append(header, frame);
  return frame;
}

// The Internet checksum (RFC 1071) over an even number of bytes, in network order.
uint16_t Checksum(absl::string_view bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(static_cast<uint8_t>(bytes[i]) << 8 |
                                 static_cast<uint8_t>(bytes[i + 1]));
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<uint16_t>(~sum));
}

// Nothing if there is no such interface, or it is not Ethernet.
absl::optional<HardwareAddress> HardwareAddressOf(int socket, const std::string& interface) {
  ifreq request = {};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(socket, SIOCGIFHWADDR, &request) != 0 ||
      request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
    return absl::nullopt;
  }
  HardwareAddress address;
  std::memcpy(address.data(), request.ifr_hwaddr.sa_data, address.size());
  return address;
}

bool ForwardsIpv6(const std::string& interface) {
  const absl::StatusOr<std::string> value =
      ReadFile(absl::StrCat("/proc/sys/net/ipv6/conf/", interface, "/forwarding"));
  return value.ok() && absl::StripAsciiWhitespace(*value) != "0";
}

}  // namespace

std::string GratuitousArp(const Address& ip, const HardwareAddress& from, bool reply) {
  std::string frame = EthernetHeader(kBroadcast, from, ETHERTYPE_ARP);
  ether_arp arp = {};
  arp.ea_hdr.ar_hrd = htons(ARPHRD_ETHER);
  arp.ea_hdr.ar_pro = htons(ETHERTYPE_IP);
  arp.ea_hdr.ar_hln = ETH_ALEN;
  arp.ea_hdr.ar_pln = 4;
  arp.ea_hdr.ar_op = htons(reply ? ARPOP_REPLY : ARPOP_REQUEST);
  std::memcpy(arp.arp_sha, from.data(), from.size());
  std::memcpy(arp.arp_spa, ip.data(), 4);
  // A request has nobody's hardware address to tell; a reply says everybody's (as arping -A).
  if (reply) std::memcpy(arp.arp_tha, kBroadcast.data(), kBroadcast.size());
  std::memcpy(arp.arp_tpa, ip.data(), 4);
  Append(arp, frame);
  return frame;
}

std::string UnsolicitedAdvertisement(const Address& ip, const HardwareAddress& from, bool router) {
  struct {
    nd_neighbor_advert advert;
    nd_opt_hdr option;
    uint8_t address[ETH_ALEN];
  } message = {};
  message.advert.nd_na_type = ND_NEIGHBOR_ADVERT;
  message.advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE | (router ? ND_NA_FLAG_ROUTER : 0);
  std::memcpy(&message.advert.nd_na_target, ip.data(), 16);
  message.option.nd_opt_type = ND_OPT_TARGET_LINKADDR;
  message.option.nd_opt_len = 1;  // in units of 8 bytes
  std::memcpy(message.address, from.data(), from.size());

  ip6_hdr header = {};
  header.ip6_flow = htonl(6U << 28);
  header.ip6_plen = htons(sizeof message);
  header.ip6_nxt = IPPROTO_ICMPV6;
  header.ip6_hlim = 255;  // any other is refused (RFC 4861, 7.1.2)
  std::memcpy(&header.ip6_src, ip.data(), 16);
  const in6_addr all_nodes = {{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}};
  header.ip6_dst = all_nodes;

  std::string covered;  // the checksum covers a pseudo header too (RFC 8200, 8.1)
  Append(header.ip6_src, covered);
  Append(header.ip6_dst, covered);
  Append(htonl(sizeof message), covered);
  Append(htonl(IPPROTO_ICMPV6), covered);
  Append(message, covered);
  message.advert.nd_na_cksum = Checksum(covered);

  std::string frame = EthernetHeader(kAllNodesMulticast, from, ETHERTYPE_IPV6);
  Append(header, frame);
  Append(message, frame);
  return frame;
}

void Announcer::Begin() {
  End();
  // Protocol 0: it receives nothing.
  socket_.Reset(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) {
    log::Warning("announce_failed", {{"problem", std::strerror(errno)}});
    return;
  }
  for (size_t i = 0; i < kAgain.size(); ++i) {
    again_[i] = loop_.After(kAgain[i], [this] { Round(); });
  }
  Round();
}

void Announcer::End() {
  for (Loop::Registration& again : again_) again.reset();
  pause_.reset();
  frames_.clear();
  socket_.Reset();
}

void Announcer::Round() {
  frames_.clear();
  for (const Vip& vip : vips_) {
    for (Frame& frame : FramesOf(vip, socket_.get())) frames_.push_back(std::move(frame));
  }
  Send();
}

void Announcer::Introduce(const Vip& own) {
  const UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  for (const Frame& frame : FramesOf(own, socket.get())) SendFrame(frame, socket.get());
}

std::vector<Announcer::Frame> Announcer::FramesOf(const Vip& vip, int socket) {
  const absl::StatusOr<Address> address = Address::Parse(vip.address);
  const absl::optional<HardwareAddress> from = HardwareAddressOf(socket, vip.interface);
  const int index = static_cast<int>(::if_nametoindex(vip.interface.c_str()));
  if (!address.ok() || !from || index == 0) return {};
  if (address->family() == AF_INET6) {
    return {{index, UnsolicitedAdvertisement(*address, *from, ForwardsIpv6(vip.interface))}};
  }
  return {{index, GratuitousArp(*address, *from, /*reply=*/false)},
          {index, GratuitousArp(*address, *from, /*reply=*/true)}};
}

// One that the interface does not take now is sent again by the next round.
void Announcer::SendFrame(const Frame& frame, int socket) {
  sockaddr_ll to = {};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = frame.interface_index;
  to.sll_halen = ETH_ALEN;
  std::memcpy(to.sll_addr, frame.bytes.data(), ETH_ALEN);
  ::sendto(socket, frame.bytes.data(), frame.bytes.size(), 0,
           reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

void Announcer::Send() {
  pause_.reset();
  for (int sent = 0; sent < kBurst && !frames_.empty(); ++sent) {
    SendFrame(frames_.front(), socket_.get());
    frames_.pop_front();
  }
  if (!frames_.empty()) pause_ = loop_.After(kPause, [this] { Send(); });
}

}  // namespace zcluster::heartbeat
