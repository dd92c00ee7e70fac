// SPDX-License-Identifier: Apache-2.0
#include "common/neighbour.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster {
namespace {

absl::Status Ioctl(int fd, unsigned long request, ifreq& argument, const std::string& interface) {
  interface.copy(argument.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(fd, request, &argument) == 0 ? absl::OkStatus() : ErrnoStatus(interface);
}

absl::Status HardwareAddress(const std::string& interface, ifreq& hardware) {
  const UniqueFd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control) return ErrnoStatus("socket");
  ZC_RETURN_IF_ERROR(Ioctl(control.get(), SIOCGIFHWADDR, hardware, interface));
  if (hardware.ifr_hwaddr.sa_family == ARPHRD_ETHER) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(interface, " is no Ethernet"));
}

absl::Status FirstAddress(const std::string& interface, in_addr& address) {
  const UniqueFd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  ZC_RETURN_IF_ERROR(Ioctl(control.get(), SIOCGIFADDR, request, interface));
  sockaddr_in own;
  std::memcpy(&own, &request.ifr_addr, sizeof own);
  address = own.sin_addr;
  return absl::OkStatus();
}

// RFC 4861, 4.3, with the option of 4.6.1.
struct Solicitation {
  nd_neighbor_solicit header = {};
  nd_opt_hdr option = {};
  uint8_t hardware[ETH_ALEN] = {};
};
static_assert(sizeof(Solicitation) == 32);

}  // namespace

absl::StatusOr<NeighbourQuestion> NeighbourQuestion::Ask(const std::string& interface,
                                                         const std::string& address,
                                                         const std::string& source) {
  NeighbourQuestion question;
  question.v6_ = ::inet_pton(AF_INET6, address.c_str(), &question.v6_address_) == 1;
  if (question.v6_) {
    ZC_RETURN_IF_ERROR(question.AskByDiscovery(interface));
    return question;
  }
  if (::inet_pton(AF_INET, address.c_str(), &question.v4_address_) != 1)
    return absl::InvalidArgumentError(absl::StrCat(address, " is no address"));
  ZC_RETURN_IF_ERROR(question.AskByArp(interface, source));
  return question;
}

absl::Status NeighbourQuestion::AskByArp(const std::string& interface, const std::string& source) {
  ifreq hardware = {};
  in_addr own = {};
  ZC_RETURN_IF_ERROR(HardwareAddress(interface, hardware));
  if (source.empty()) {
    ZC_RETURN_IF_ERROR(FirstAddress(interface, own));
  } else if (::inet_pton(AF_INET, source.c_str(), &own) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(source, " is no IPv4 address"));
  }
  fd_.Reset(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) return ErrnoStatus("packet socket");
  sockaddr_ll to = {};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETH_P_ARP);
  to.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    return ErrnoStatus(interface);
  to.sll_halen = ETH_ALEN;
  std::memset(to.sll_addr, 0xff, ETH_ALEN);
  ether_arp arp = {};
  arp.ea_hdr.ar_hrd = htons(ARPHRD_ETHER);
  arp.ea_hdr.ar_pro = htons(ETHERTYPE_IP);
  arp.ea_hdr.ar_hln = ETH_ALEN;
  arp.ea_hdr.ar_pln = 4;
  arp.ea_hdr.ar_op = htons(ARPOP_REQUEST);
  std::memcpy(arp.arp_sha, hardware.ifr_hwaddr.sa_data, ETH_ALEN);
  std::memcpy(arp.arp_spa, &own, 4);
  std::memcpy(arp.arp_tpa, &v4_address_, 4);
  const ssize_t sent =
      ::sendto(fd_.get(), &arp, sizeof arp, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return sent == static_cast<ssize_t>(sizeof arp) ? absl::OkStatus() : ErrnoStatus(interface);
}

absl::Status NeighbourQuestion::AskByDiscovery(const std::string& interface) {
  ifreq hardware = {};
  ZC_RETURN_IF_ERROR(HardwareAddress(interface, hardware));
  fd_.Reset(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
  if (!fd_) return ErrnoStatus("raw socket");
  icmp6_filter filter;
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
  // RFC 4861, 7.1.1: others are dropped, lest a question come from beyond the wire.
  const int hops = 255;
  if (::setsockopt(fd_.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) != 0 ||
      ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops) != 0 ||
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                   static_cast<socklen_t>(interface.size())) != 0) {
    return ErrnoStatus(interface);
  }
  Solicitation message;
  message.header.nd_ns_type = ND_NEIGHBOR_SOLICIT;
  message.header.nd_ns_target = v6_address_;
  message.option.nd_opt_type = ND_OPT_SOURCE_LINKADDR;
  message.option.nd_opt_len = 1;
  std::memcpy(message.hardware, hardware.ifr_hwaddr.sa_data, ETH_ALEN);
  // The solicited-node address: ff02::1:ff and the last three bytes (RFC 4291, 2.7.1).
  sockaddr_in6 to = {};
  to.sin6_family = AF_INET6;
  to.sin6_scope_id = ::if_nametoindex(interface.c_str());
  ::inet_pton(AF_INET6, "ff02::1:ff00:0", &to.sin6_addr);
  std::memcpy(to.sin6_addr.s6_addr + 13, v6_address_.s6_addr + 13, 3);
  const ssize_t sent = ::sendto(fd_.get(), &message, sizeof message, 0,
                                reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return sent == static_cast<ssize_t>(sizeof message) ? absl::OkStatus() : ErrnoStatus(interface);
}

bool NeighbourQuestion::Answered() const {
  if (v6_) {
    nd_neighbor_advert answer = {};
    while (::recv(fd_.get(), &answer, sizeof answer, 0) == static_cast<ssize_t>(sizeof answer)) {
      if (std::memcmp(&answer.nd_na_target, &v6_address_, sizeof v6_address_) == 0) return true;
    }
    return false;
  }
  ether_arp arp = {};
  while (::recv(fd_.get(), &arp, sizeof arp, 0) == static_cast<ssize_t>(sizeof arp)) {
    if (arp.ea_hdr.ar_op == htons(ARPOP_REPLY) && std::memcmp(arp.arp_spa, &v4_address_, 4) == 0)
      return true;
  }
  return false;
}

}  // namespace zcluster
