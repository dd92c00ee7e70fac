// SPDX-License-Identifier: Apache-2.0
#include "agent/machine/rtnetlink.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>
#include <memory>

#include "common/status.h"

namespace zcluster::machine {
namespace {

// A dump during which something changed may lack what did not: it is made again. Interfaces do not
// change for ever.
constexpr int kTries = 10;

struct CloseSocket {
  void operator()(mnl_socket* socket) const { ::mnl_socket_close(socket); }
};
using Socket = std::unique_ptr<mnl_socket, CloseSocket>;

// The bytes of one request, and how it asks for all there is.
struct Request {
  alignas(nlmsghdr) char bytes[256];
  nlmsghdr* message = ::mnl_nlmsg_put_header(bytes);
};

// EINTR: something changed meanwhile.
absl::Status DumpOnce(const nlmsghdr* request, mnl_cb_t callback, void* rows) {
  const Socket socket(::mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (socket == nullptr || ::mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0 ||
      ::mnl_socket_sendto(socket.get(), request, request->nlmsg_len) < 0) {
    return ErrnoStatus("rtnetlink");
  }
  // A dump's parts are at most 32 KiB (NLMSG_GOODSIZE): a smaller buffer would lose rows silently.
  alignas(nlmsghdr) char buffer[32768];
  for (int result = MNL_CB_OK; result != MNL_CB_STOP;) {
    const ssize_t n = ::mnl_socket_recvfrom(socket.get(), buffer, sizeof buffer);
    if (n < 0) return ErrnoStatus("rtnetlink");
    result = ::mnl_cb_run(buffer, static_cast<size_t>(n), request->nlmsg_seq,
                          ::mnl_socket_get_portid(socket.get()), callback, rows);
    if (result < 0) return ErrnoStatus("rtnetlink");
  }
  return absl::OkStatus();
}

template <typename Row>
absl::StatusOr<std::vector<Row>> Dump(Request& request, mnl_cb_t callback) {
  request.message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.message->nlmsg_seq = 1;
  absl::Status status;
  for (int i = 0; i < kTries; ++i) {
    std::vector<Row> rows;
    errno = 0;
    status = DumpOnce(request.message, callback, &rows);
    if (status.ok()) return rows;
    if (errno != EINTR) break;
  }
  return status;
}

std::string Text(const nlattr* attribute) {
  // Bounded by the attribute, and without the kernel's NUL at its end.
  const std::string text(static_cast<const char*>(::mnl_attr_get_payload(attribute)),
                         ::mnl_attr_get_payload_len(attribute));
  return text.substr(0, text.find('\0'));
}

int AddKind(const nlattr* attribute, void* data) {
  auto* link = static_cast<Link*>(data);
  if (::mnl_attr_get_type(attribute) == IFLA_INFO_KIND) link->kind = Text(attribute);
  if (::mnl_attr_get_type(attribute) == IFLA_INFO_SLAVE_KIND) link->port_kind = Text(attribute);
  return MNL_CB_OK;
}

int AddToLink(const nlattr* attribute, void* data) {
  auto* link = static_cast<Link*>(data);
  switch (::mnl_attr_get_type(attribute)) {
    case IFLA_IFNAME:
      link->name = Text(attribute);
      break;
    case IFLA_MASTER:
      link->master = static_cast<int>(::mnl_attr_get_u32(attribute));
      break;
    case IFLA_LINK_NETNSID:
      // Its number does not matter, nor whether that namespace has one: it is only there if the
      // namespace is another.
      link->linked_outside = true;
      break;
    case IFLA_PARENT_DEV_NAME:
      // Says what /sys/class/net/NAME/device does, but of this namespace whatever /sys is mounted.
      link->on_a_bus = true;
      break;
    case IFLA_LINKINFO:
      return ::mnl_attr_parse_nested(attribute, &AddKind, link);
    default:
      break;
  }
  return MNL_CB_OK;
}

int AddLink(const nlmsghdr* message, void* data) {
  const auto* header = static_cast<const ifinfomsg*>(::mnl_nlmsg_get_payload(message));
  Link link{.index = header->ifi_index,
            .name = "",
            .kind = "",
            .type = header->ifi_type,
            .loopback = (header->ifi_flags & IFF_LOOPBACK) != 0,
            .up = (header->ifi_flags & IFF_UP) != 0,
            .running = (header->ifi_flags & IFF_RUNNING) != 0,
            .port_kind = ""};
  ::mnl_attr_parse(message, sizeof(*header), &AddToLink, &link);
  static_cast<std::vector<Link>*>(data)->push_back(std::move(link));
  return MNL_CB_OK;
}

// A row with what decides which attribute is the address.
struct Pending {
  LinkAddress row;
  bool local = false;
};

int AddToAddress(const nlattr* attribute, void* data) {
  auto* pending = static_cast<Pending*>(data);
  const uint16_t type = ::mnl_attr_get_type(attribute);
  if (type == IFA_LABEL) pending->row.label = Text(attribute);
  // IFA_LOCAL is the node's own one where there is a point-to-point peer; else IFA_ADDRESS is.
  if (type != IFA_LOCAL && (type != IFA_ADDRESS || pending->local)) return MNL_CB_OK;
  if (::mnl_attr_get_payload_len(attribute) != (pending->row.v6 ? 16U : 4U)) return MNL_CB_OK;
  char text[INET6_ADDRSTRLEN];
  pending->row.text = ::inet_ntop(pending->row.v6 ? AF_INET6 : AF_INET,
                                  ::mnl_attr_get_payload(attribute), text, sizeof text);
  pending->local = type == IFA_LOCAL;
  return MNL_CB_OK;
}

int AddAddress(const nlmsghdr* message, void* data) {
  const auto* header = static_cast<const ifaddrmsg*>(::mnl_nlmsg_get_payload(message));
  if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6) return MNL_CB_OK;
  const bool v6 = header->ifa_family == AF_INET6;
  Pending pending{.row = {.index = static_cast<int>(header->ifa_index),
                          .text = "",
                          .prefix_length = header->ifa_prefixlen,
                          .v6 = v6,
                          .global = header->ifa_scope == RT_SCOPE_UNIVERSE,
                          // The same bit means a temporary address in IPv6.
                          .secondary = !v6 && (header->ifa_flags & IFA_F_SECONDARY) != 0,
                          .label = ""}};
  ::mnl_attr_parse(message, sizeof(*header), &AddToAddress, &pending);
  if (!pending.row.text.empty())
    static_cast<std::vector<LinkAddress>*>(data)->push_back(std::move(pending.row));
  return MNL_CB_OK;
}

}  // namespace

absl::StatusOr<std::vector<Link>> Links() {
  Request request;
  request.message->nlmsg_type = RTM_GETLINK;
  ::mnl_nlmsg_put_extra_header(request.message, sizeof(ifinfomsg));
  ::mnl_attr_put_u32(request.message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return Dump<Link>(request, &AddLink);
}

absl::StatusOr<std::vector<LinkAddress>> LinkAddresses() {
  Request request;
  request.message->nlmsg_type = RTM_GETADDR;
  ::mnl_nlmsg_put_extra_header(request.message, sizeof(ifaddrmsg));
  return Dump<LinkAddress>(request, &AddAddress);
}

}  // namespace zcluster::machine
