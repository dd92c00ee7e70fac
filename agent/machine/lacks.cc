// SPDX-License-Identifier: Apache-2.0
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/machine/machine.h"
#include "common/child.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::machine {
namespace {

constexpr absl::Duration kVersionLimit = absl::Seconds(2);
constexpr timeval kKernelLimit = {.tv_sec = 2, .tv_usec = 0};
constexpr char kConntrackMax[] = "/proc/sys/net/netfilter/nf_conntrack_max";

struct CloseSocket {
  void operator()(mnl_socket* socket) const { ::mnl_socket_close(socket); }
};

void LookForProgram(const std::string& path, absl::string_view package,
                    std::vector<std::string>& lacks) {
  if (::access(path.c_str(), X_OK) != 0) {
    lacks.push_back(absl::StrCat(ErrnoStatus(path).message(), ": install ", package, " (apt-get ",
                                 "install ", package, ")."));
    return;
  }
  const absl::Status runs = RunProgram({path, "--version"}, "", kVersionLimit);
  if (runs.ok()) return;
  lacks.push_back(absl::StrCat(path, " cannot be run (", runs.message(), "): install ", package,
                               " anew (apt-get install --reinstall ", package, ")."));
}

// Asks for the size of the table, which makes the kernel load what it has as modules.
absl::Status AskConntrack() {
  const std::unique_ptr<mnl_socket, CloseSocket> socket(
      ::mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
  if (socket == nullptr || ::mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return ErrnoStatus("netfilter netlink");
  ::setsockopt(::mnl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &kKernelLimit,
               sizeof kKernelLimit);
  alignas(nlmsghdr) char buffer[8192];
  nlmsghdr* message = ::mnl_nlmsg_put_header(buffer);
  message->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET_STATS;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  message->nlmsg_seq = 1;
  auto* header = static_cast<nfgenmsg*>(::mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  header->nfgen_family = AF_UNSPEC;
  header->version = NFNETLINK_V0;
  if (::mnl_socket_sendto(socket.get(), message, message->nlmsg_len) < 0)
    return ErrnoStatus("ctnetlink");
  for (int result = MNL_CB_OK; result != MNL_CB_STOP;) {
    const ssize_t n = ::mnl_socket_recvfrom(socket.get(), buffer, sizeof buffer);
    if (n < 0) return ErrnoStatus("ctnetlink");
    result = ::mnl_cb_run(buffer, static_cast<size_t>(n), 1, ::mnl_socket_get_portid(socket.get()),
                          nullptr, nullptr);
    if (result < 0) return ErrnoStatus("ctnetlink");
  }
  return absl::OkStatus();
}

void LookForConntrack(std::vector<std::string>& lacks) {
  absl::Status status = AskConntrack();
  if (status.ok() && ::access(kConntrackMax, F_OK) != 0) status = ErrnoStatus(kConntrackMax);
  if (status.ok()) return;
  lacks.push_back(absl::StrCat(
      "The kernel does not track connections here (", status.message(),
      "): load it (modprobe nf_conntrack_netlink), at each boot too (echo nf_conntrack_netlink > ",
      "/etc/modules-load.d/zcluster.conf)."));
}

// As a server binds: what has ended only a moment ago is not in the way, a listener is.
absl::Status TryPort(int family, int port) {
  const UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // A kernel without IPv6: nobody can listen there either.
  if (!socket) return errno == EAFNOSUPPORT ? absl::OkStatus() : ErrnoStatus("socket");
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage storage = {};
  socklen_t size = sizeof(sockaddr_in);
  if (family == AF_INET) {
    auto* address = reinterpret_cast<sockaddr_in*>(&storage);
    address->sin_port = htons(static_cast<uint16_t>(port));
  } else {
    // Each family by itself: one that listens on IPv4 alone is found by that.
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(static_cast<uint16_t>(port));
    size = sizeof(sockaddr_in6);
  }
  storage.ss_family = static_cast<sa_family_t>(family);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0)
    return ErrnoStatus("bind");
  return absl::OkStatus();
}

void LookAtPort(int port, std::vector<std::string>& lacks) {
  for (const int family : {AF_INET, AF_INET6}) {
    const absl::Status status = TryPort(family, port);
    if (status.ok()) continue;
    // -a, not -l: a connection that left from this port is in the way as well.
    lacks.push_back(absl::StrCat("TCP port ", port, " cannot be used (", status.message(),
                                 "): find who has it (ss -tanp 'sport = :", port,
                                 "') and stop it, or choose another port in agent.yaml."));
    return;
  }
}

}  // namespace

std::vector<std::string> Lacks(const Needs& needs) {
  std::vector<std::string> lacks;
  LookForProgram(needs.keepalived, "keepalived", lacks);
  LookForProgram(needs.nft, "nftables", lacks);
  LookForConntrack(lacks);
  for (const int port : needs.ports) LookAtPort(port, lacks);
  return lacks;
}

}  // namespace zcluster::machine
