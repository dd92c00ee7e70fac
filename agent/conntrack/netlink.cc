// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/netlink.h"

#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/status.h"

namespace zcluster::conntrack {
namespace {

template <typename T>
absl::Status SetOption(int fd, int level, int option, const T& value, absl::string_view what) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return absl::OkStatus();
  return ErrnoStatus(what);
}

}  // namespace

absl::StatusOr<NetlinkSocket> NetlinkSocket::Open() {
  NetlinkSocket opened;
  opened.fd_.Reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!opened.fd_) {
    return ErrnoStatus(
        "cannot open a netfilter netlink socket (is nfnetlink in the kernel, are we root?)");
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  socklen_t size = sizeof address;
  if (::bind(opened.fd(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(opened.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return ErrnoStatus("cannot bind a netfilter netlink socket");
  }
  opened.port_ = address.nl_pid;
  return opened;
}

absl::Status NetlinkSocket::SetReceiveBuffer(int bytes) {
  return SetOption(fd(), SOL_SOCKET, SO_RCVBUFFORCE, bytes,
                   "cannot size the receive buffer (needs CAP_NET_ADMIN)");
}

absl::Status NetlinkSocket::SetSendBuffer(int bytes) {
  return SetOption(fd(), SOL_SOCKET, SO_SNDBUFFORCE, bytes,
                   "cannot size the send buffer (needs CAP_NET_ADMIN)");
}

absl::Status NetlinkSocket::ShortenErrors() {
  return SetOption(fd(), SOL_NETLINK, NETLINK_CAP_ACK, 1, "NETLINK_CAP_ACK");
}

absl::Status NetlinkSocket::KeepLostEnds() {
  return SetOption(fd(), SOL_NETLINK, NETLINK_BROADCAST_ERROR, 1, "NETLINK_BROADCAST_ERROR");
}

absl::Status NetlinkSocket::JoinConntrackEvents(absl::Span<const sock_filter> program) {
  // Before the groups, so that no event slips through between the two. The kernel does not write
  // into the program.
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  ZC_RETURN_IF_ERROR(
      SetOption(fd(), SOL_SOCKET, SO_ATTACH_FILTER, filter, "cannot filter conntrack events"));
  for (const int group :
       {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY,
        NFNLGRP_CONNTRACK_EXP_NEW, NFNLGRP_CONNTRACK_EXP_DESTROY}) {
    ZC_RETURN_IF_ERROR(
        SetOption(fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group,
                  "cannot listen to conntrack events (is nf_conntrack_netlink in the kernel?)"));
  }
  return absl::OkStatus();
}

absl::Status NetlinkSocket::Send(const void* messages, size_t size) const {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do {
    sent = ::sendto(fd(), messages, size, 0, reinterpret_cast<const sockaddr*>(&kernel),
                    sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return ErrnoStatus("cannot send to the kernel's conntrack");
  return absl::OkStatus();
}

}  // namespace zcluster::conntrack
