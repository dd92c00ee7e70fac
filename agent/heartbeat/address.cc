// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/address.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::heartbeat {
namespace {

struct CloseSocket {
  void operator()(mnl_socket* socket) const { ::mnl_socket_close(socket); }
};
using Socket = std::unique_ptr<mnl_socket, CloseSocket>;

absl::StatusOr<Socket> OpenSocket() {
  Socket socket(::mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (socket == nullptr) return ErrnoStatus("rtnetlink");
  if (::mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return ErrnoStatus("rtnetlink");
  return socket;
}

// What a dump looks for.
struct Search {
  const Address& address;
  unsigned interface_index;
  bool found = false;
};

int CompareAttribute(const nlattr* attribute, void* data) {
  auto* search = static_cast<Search*>(data);
  // IFA_LOCAL is the node's own one where there is a point-to-point peer; IPv6 has IFA_ADDRESS
  // alone.
  const uint16_t type = ::mnl_attr_get_type(attribute);
  const bool own =
      type == IFA_LOCAL || (type == IFA_ADDRESS && search->address.family() == AF_INET6);
  if (own && ::mnl_attr_get_payload_len(attribute) == search->address.size() &&
      std::memcmp(::mnl_attr_get_payload(attribute), search->address.data(),
                  search->address.size()) == 0) {
    search->found = true;
  }
  return MNL_CB_OK;
}

int CompareWithSearch(const nlmsghdr* message, void* data) {
  auto* search = static_cast<Search*>(data);
  const auto* header = static_cast<const ifaddrmsg*>(::mnl_nlmsg_get_payload(message));
  if (header->ifa_index != search->interface_index ||
      header->ifa_family != search->address.family())
    return MNL_CB_OK;
  ::mnl_attr_parse(message, sizeof(*header), &CompareAttribute, search);
  return MNL_CB_OK;
}

absl::Status Exchange(mnl_socket* socket, const nlmsghdr* message, mnl_cb_t callback, void* data) {
  if (::mnl_socket_sendto(socket, message, message->nlmsg_len) < 0) return ErrnoStatus("rtnetlink");
  // A dump's parts are at most 32 KiB (NLMSG_GOODSIZE): a smaller buffer would lose addresses
  // silently.
  alignas(nlmsghdr) char buffer[32768];
  while (true) {
    const ssize_t n = ::mnl_socket_recvfrom(socket, buffer, sizeof buffer);
    if (n < 0) return ErrnoStatus("rtnetlink");
    const int result = ::mnl_cb_run(buffer, static_cast<size_t>(n), message->nlmsg_seq,
                                    ::mnl_socket_get_portid(socket), callback, data);
    if (result < 0) return ErrnoStatus("rtnetlink");
    if (result == MNL_CB_STOP) return absl::OkStatus();
  }
}

absl::Status RemoveAddress(mnl_socket* socket, const Vip& vip) {
  ZC_ASSIGN_OR_RETURN(const Address address, Address::Parse(vip.address));
  const unsigned index = ::if_nametoindex(vip.interface.c_str());
  if (index == 0) return absl::OkStatus();
  alignas(nlmsghdr) char buffer[256];
  nlmsghdr* message = ::mnl_nlmsg_put_header(buffer);
  message->nlmsg_type = RTM_DELADDR;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  message->nlmsg_seq = 1;
  auto* header = static_cast<ifaddrmsg*>(::mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
  header->ifa_family = static_cast<uint8_t>(address.family());
  header->ifa_prefixlen = static_cast<uint8_t>(address.prefix_length());
  header->ifa_index = index;
  ::mnl_attr_put(message, IFA_LOCAL, address.size(), address.data());
  const absl::Status status = Exchange(socket, message, nullptr, nullptr);
  if (!status.ok() && (errno == EADDRNOTAVAIL || errno == ENODEV)) return absl::OkStatus();
  return Annotate(status, vip.address);
}

}  // namespace

absl::StatusOr<Address> Address::Parse(absl::string_view text) {
  const auto invalid = [&] {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\" is not an address with its prefix length, such as 192.0.2.10/24"));
  };
  const size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Address address;
  if (::inet_pton(AF_INET, host.c_str(), address.bytes_.data()) != 1) {
    address.family_ = AF_INET6;
    if (::inet_pton(AF_INET6, host.c_str(), address.bytes_.data()) != 1) return invalid();
  }
  const int longest = address.family_ == AF_INET ? 32 : 128;
  address.prefix_length_ = longest;
  if (slash != absl::string_view::npos &&
      (!absl::SimpleAtoi(text.substr(slash + 1), &address.prefix_length_) ||
       address.prefix_length_ < 1 || address.prefix_length_ > longest)) {
    return invalid();
  }
  return address;
}

namespace {

// Of the kernel's addresses of `family`, one after the other to `callback`.
absl::Status Dump(mnl_socket* socket, int family, mnl_cb_t callback, void* data) {
  alignas(nlmsghdr) char buffer[256];
  nlmsghdr* message = ::mnl_nlmsg_put_header(buffer);
  message->nlmsg_type = RTM_GETADDR;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = 1;
  auto* header = static_cast<ifaddrmsg*>(::mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
  header->ifa_family = static_cast<uint8_t>(family);
  return Exchange(socket, message, callback, data);
}

// An IPv6 address as a dump has it.
struct Held {
  unsigned interface_index;
  std::string bytes;
};

int CollectAddress(const nlattr* attribute, void* data) {
  auto* held = static_cast<Held*>(data);
  if (::mnl_attr_get_type(attribute) == IFA_ADDRESS) {
    held->bytes.assign(static_cast<const char*>(::mnl_attr_get_payload(attribute)),
                       ::mnl_attr_get_payload_len(attribute));
  }
  return MNL_CB_OK;
}

// Those that the kernel took for duplicates.
int CollectDuplicates(const nlmsghdr* message, void* data) {
  const auto* header = static_cast<const ifaddrmsg*>(::mnl_nlmsg_get_payload(message));
  if ((header->ifa_flags & IFA_F_DADFAILED) == 0) return MNL_CB_OK;
  Held held{header->ifa_index, ""};
  ::mnl_attr_parse(message, sizeof(*header), &CollectAddress, &held);
  static_cast<std::vector<Held>*>(data)->push_back(std::move(held));
  return MNL_CB_OK;
}

}  // namespace

absl::StatusOr<bool> HasAddress(const Vip& vip) {
  ZC_ASSIGN_OR_RETURN(const Address address, Address::Parse(vip.address));
  const unsigned index = ::if_nametoindex(vip.interface.c_str());
  if (index == 0) return false;
  ZC_ASSIGN_OR_RETURN(const Socket socket, OpenSocket());
  Search search{.address = address, .interface_index = index};
  ZC_RETURN_IF_ERROR(Dump(socket.get(), address.family(), &CompareWithSearch, &search));
  return search.found;
}

absl::StatusOr<std::vector<Vip>> FindDuplicates(const std::vector<Vip>& vips) {
  std::vector<Vip> duplicates;
  std::vector<Held> failed;
  ZC_ASSIGN_OR_RETURN(const Socket socket, OpenSocket());
  ZC_RETURN_IF_ERROR(Dump(socket.get(), AF_INET6, &CollectDuplicates, &failed));
  if (failed.empty()) return duplicates;
  for (const Vip& vip : vips) {
    ZC_ASSIGN_OR_RETURN(const Address address, Address::Parse(vip.address));
    if (address.family() != AF_INET6) continue;
    const std::string bytes(reinterpret_cast<const char*>(address.data()), address.size());
    const unsigned index = ::if_nametoindex(vip.interface.c_str());
    const bool is_one = std::any_of(failed.begin(), failed.end(), [&](const Held& held) {
      return held.interface_index == index && held.bytes == bytes;
    });
    if (is_one) duplicates.push_back(vip);
  }
  return duplicates;
}

absl::Status RemoveAddresses(const std::vector<Vip>& vips) {
  ZC_ASSIGN_OR_RETURN(const Socket socket, OpenSocket());
  absl::Status first;
  for (const Vip& vip : vips) first.Update(RemoveAddress(socket.get(), vip));
  return first;
}

}  // namespace zcluster::heartbeat
