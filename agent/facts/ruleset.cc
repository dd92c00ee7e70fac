// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/ruleset.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "common/child.h"
#include "common/unique_fd.h"

namespace zcluster::facts {
namespace {

constexpr int kPatienceMs = 2000;
constexpr size_t kLongest = 4 << 20;

}  // namespace

std::optional<uint32_t> RulesetGeneration() {
  const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  struct {
    nlmsghdr header;
    nfgenmsg family;
  } request = {};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  // The kernel answers within the call, so nothing is waited for.
  if (!socket || ::send(socket.get(), &request, sizeof request, 0) < 0) return std::nullopt;
  alignas(nlmsghdr) std::array<char, 1024> answer;
  const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  nlmsghdr header = {};
  if (got < static_cast<ssize_t>(sizeof request)) return std::nullopt;
  std::memcpy(&header, answer.data(), sizeof header);
  if (header.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN)) return std::nullopt;
  size_t at = sizeof request;
  nlattr attribute = {};
  while (at + sizeof attribute + sizeof(uint32_t) <= static_cast<size_t>(got)) {
    std::memcpy(&attribute, answer.data() + at, sizeof attribute);
    if (attribute.nla_type == NFTA_GEN_ID) {
      uint32_t generation = 0;
      std::memcpy(&generation, answer.data() + at + sizeof attribute, sizeof generation);
      return ntohl(generation);
    }
    if (attribute.nla_len < sizeof attribute) break;
    at += NLA_ALIGN(attribute.nla_len);
  }
  return std::nullopt;
}

std::optional<std::string> ReadRuleset(const std::string& nft, int stop) {
  const absl::StatusOr<UniqueFd> output = MakeMemoryFile();
  if (!output.ok()) return std::nullopt;
  absl::StatusOr<Child> child =
      Child::Start({.argv = {nft, "-j", "-t", "list", "ruleset"}, .output = output->get()});
  if (!child.ok()) return std::nullopt;
  pollfd ends[] = {{child->pidfd().get(), POLLIN, 0}, {stop, POLLIN, 0}};
  ::poll(ends, 2, kPatienceMs);
  if (ends[0].revents == 0) {
    child->Signal(SIGKILL);
    ::poll(ends, 1, -1);
  }
  const absl::optional<ChildExit> exit = child->Exit();
  const off_t size = ::lseek(output->get(), 0, SEEK_END);
  if (!exit || !exit->ok() || size <= 0 || static_cast<size_t>(size) > kLongest) {
    return std::nullopt;
  }
  std::string text(static_cast<size_t>(size), '\0');
  if (::pread(output->get(), text.data(), text.size(), 0) != size) return std::nullopt;
  return text;
}

}  // namespace zcluster::facts
