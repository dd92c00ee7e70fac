// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "agent/packetfilter/packetfilter.h"

namespace zcluster::packetfilter {
namespace {

// An empty set literal is a syntax error, so a family without VIPs has no rule.
std::string DropInvalid(const char* family, const std::vector<std::string>& vips) {
  if (vips.empty()) return "";
  return absl::Substitute("    $0 daddr { $1 } ct state invalid counter drop\n", family,
                          absl::StrJoin(vips, ", "));
}

// Only between the two agents: the same port behind a VIP may be somebody's service.
std::string LinkUntracked(const char* family, const char* end,
                          const std::vector<std::string>& peers, int port) {
  if (peers.empty()) return "";
  const std::string match =
      absl::Substitute("    $0 $1 { $2 } tcp", family, end, absl::StrJoin(peers, ", "));
  return absl::StrCat(match, " dport ", port, " notrack\n", match, " sport ", port, " notrack\n");
}

bool IsV6(const std::string& address) { return absl::StrContains(address, ':'); }

std::vector<std::string> OfFamily(const std::vector<std::string>& addresses, bool v6) {
  std::vector<std::string> result;
  for (const std::string& address : addresses) {
    if (IsV6(address) == v6) result.push_back(address);
  }
  return result;
}

std::string BothFamilies(const char* end, const Options& options) {
  return LinkUntracked("ip", end, OfFamily(options.link_addresses, false), options.link_port) +
         LinkUntracked("ip6", end, OfFamily(options.link_addresses, true), options.link_port);
}

}  // namespace

std::string Render(const Options& options) {
  // Declared, deleted, declared again: works whether it was there or not, and is one transaction.
  return absl::Substitute(R"(table inet zcluster
delete table inet zcluster
table inet zcluster {
  chain untracked_in {
    type filter hook prerouting priority raw; policy accept;
    meta l4proto 112 notrack
$2  }
  chain untracked_out {
    type filter hook output priority raw; policy accept;
    meta l4proto 112 notrack
$3  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "$1" meta l4proto 112 ip saddr != $0 counter drop
    iifname "$1" meta l4proto 112 meta nfproto ipv6 counter drop
$4$5  }
}
)",
                          options.peer_address, options.interface, BothFamilies("saddr", options),
                          BothFamilies("daddr", options),
                          DropInvalid("ip", OfFamily(options.vips, false)),
                          DropInvalid("ip6", OfFamily(options.vips, true)));
}

}  // namespace zcluster::packetfilter
