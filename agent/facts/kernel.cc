// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/kernel.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "agent/core/facts.h"
#include "common/file.h"

namespace zcluster::facts {
namespace {

namespace fact = core::fact;

// Not among them: nf_conntrack_events, which the agent sets itself.
constexpr absl::string_view kSysctls[] = {
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.ipv4.ip_nonlocal_bind",
    "net.ipv6.ip_nonlocal_bind",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.all.arp_ignore",
    "net.ipv4.conf.all.arp_announce",
    "net.ipv4.vs.conntrack",
    "net.netfilter.nf_conntrack_checksum",
    "net.netfilter.nf_conntrack_helper",
    "net.netfilter.nf_conntrack_tcp_be_liberal",
    "net.netfilter.nf_conntrack_tcp_loose",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
    "net.netfilter.nf_conntrack_udp_timeout",
    "net.netfilter.nf_conntrack_udp_timeout_stream",
};

constexpr absl::string_view kModules[] = {
    "nf_conntrack",      "nf_nat",           "nf_flow_table",     "ip_vs",
    "nf_conntrack_ftp",  "nf_conntrack_sip", "nf_conntrack_tftp", "nf_conntrack_pptp",
    "nf_conntrack_h323", "nf_conntrack_irc",
};

constexpr size_t kMaxNetworks = 32;
// Some 400,000 sockets.
constexpr size_t kMaxTable = 64 << 20;

std::optional<std::string> Read(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, 4096);
  if (!text.ok()) return std::nullopt;
  return std::string(absl::StripAsciiWhitespace(*text));
}

std::optional<uint64_t> ReadNumber(const std::string& path) {
  const std::optional<std::string> text = Read(path);
  uint64_t value = 0;
  if (!text || !absl::SimpleAtoi(*text, &value)) return std::nullopt;
  return value;
}

// An address's bytes; 4 or 16, or none if it is no address.
std::string Bytes(const std::string& address) {
  char bytes[16];
  if (::inet_pton(AF_INET, address.c_str(), bytes) == 1) return std::string(bytes, 4);
  if (::inet_pton(AF_INET6, address.c_str(), bytes) == 1) return std::string(bytes, 16);
  return "";
}

std::string Bytes(const sockaddr& address) {
  char bytes[16];
  if (address.sa_family == AF_INET) {
    ::memcpy(bytes, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
    return std::string(bytes, 4);
  }
  if (address.sa_family == AF_INET6) {
    ::memcpy(bytes, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
    return std::string(bytes, 16);
  }
  return "";
}

// With all bits behind the prefix zero.
std::string Masked(std::string bytes, int prefix_length) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int bits = std::clamp(prefix_length - static_cast<int>(8 * i), 0, 8);
    bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) & (0xff00u >> bits));
  }
  return bytes;
}

std::string Text(const std::string& bytes, int prefix_length) {
  char text[INET6_ADDRSTRLEN];
  ::inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof(text));
  return absl::StrCat(text, "/", prefix_length);
}

std::set<std::string> AddressesOf(const std::vector<Vip>& vips) {
  std::set<std::string> all;
  for (const Vip& vip : vips) all.insert(Bytes(vip.address));
  return all;
}

// "0100007F:1F90" as the kernel prints it: words of 32 bits in the machine's order.
std::string SocketAddress(absl::string_view text) {
  std::string bytes = absl::HexStringToBytes(text.substr(0, text.find(':')));
  if (bytes.size() != 4 && bytes.size() != 16) return "";
  uint16_t one = 1;
  if (*reinterpret_cast<unsigned char*>(&one) == 1) {
    for (size_t i = 0; i < bytes.size(); i += 4)
      std::reverse(bytes.begin() + static_cast<ptrdiff_t>(i),
                   bytes.begin() + static_cast<ptrdiff_t>(i + 4));
  }
  static const std::string kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  if (bytes.size() == 16 && bytes.compare(0, 12, kMapped) == 0) return bytes.substr(12);
  return bytes;
}

}  // namespace

std::vector<core::Fact> Sysctls() {
  std::vector<core::Fact> facts;
  for (absl::string_view name : kSysctls) {
    std::optional<std::string> value =
        Read(absl::StrCat("/proc/sys/", absl::StrReplaceAll(name, {{".", "/"}})));
    if (value) facts.push_back({absl::StrCat(fact::kSysctl, name), std::move(*value)});
  }
  return facts;
}

std::vector<core::Fact> Modules() {
  std::vector<core::Fact> facts;
  for (absl::string_view name : kModules) {
    const bool loaded = ::access(absl::StrCat("/sys/module/", name).c_str(), F_OK) == 0;
    facts.push_back({absl::StrCat(fact::kModule, name), loaded ? "loaded" : "absent"});
  }
  return facts;
}

std::vector<core::Fact> Networks(const std::vector<Vip>& vips) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> guard(list, &::freeifaddrs);
  const std::set<std::string> virtual_ones = AddressesOf(vips);
  std::set<std::pair<std::string, int>> networks;
  std::vector<core::Fact> facts;
  for (const Vip& vip : vips) {
    const std::string network = Masked(Bytes(vip.address), vip.prefix_length);
    const bool host = static_cast<size_t>(vip.prefix_length) >= 8 * network.size();
    if (host || networks.size() == kMaxNetworks) continue;
    if (!networks.insert({network, vip.prefix_length}).second) continue;
    core::Fact found{absl::StrCat(fact::kNetwork, Text(network, vip.prefix_length)), ""};
    for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
      constexpr unsigned kUp = IFF_UP | IFF_RUNNING;
      if (each->ifa_addr == nullptr || (each->ifa_flags & kUp) != kUp) continue;
      const std::string bytes = Bytes(*each->ifa_addr);
      if (bytes.size() != network.size() || virtual_ones.count(bytes) > 0) continue;
      if (Masked(bytes, vip.prefix_length) == network) found.value = each->ifa_name;
    }
    facts.push_back(std::move(found));
  }
  return facts;
}

ConntrackTable ReadConntrackTable() {
  ConntrackTable table;
  table.maximum = ReadNumber("/proc/sys/net/netfilter/nf_conntrack_max");
  const std::optional<uint64_t> count = ReadNumber("/proc/sys/net/netfilter/nf_conntrack_count");
  // 0: no limit.
  if (count && table.maximum.value_or(0) > 0) table.fill_percent = *count * 100 / *table.maximum;
  return table;
}

std::optional<uint64_t> DiskFree(const std::string& path) {
  struct statvfs disk = {};
  if (::statvfs(path.c_str(), &disk) != 0) return std::nullopt;
  const uint64_t free = std::min<uint64_t>((disk.f_bavail * disk.f_frsize) >> 20, 1024);
  return free < 64 ? free : free / 16 * 16;
}

uint64_t CountConnections(const std::string& table, const std::vector<Vip>& vips) {
  const std::set<std::string> ours = AddressesOf(vips);
  uint64_t count = 0;
  for (absl::string_view line : absl::StrSplit(table, '\n')) {
    //   sl  local_address rem_address   st ...
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::MaxSplits(' ', 32), absl::SkipWhitespace());
    if (words.size() < 4 || words[3] != "01") continue;  // ESTABLISHED
    if (ours.count(SocketAddress(words[1])) > 0) ++count;
  }
  return count;
}

std::optional<uint64_t> LocalConnections(const std::vector<Vip>& vips) {
  uint64_t count = 0;
  for (const char* path : {"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"}) {
    const absl::StatusOr<std::string> table = ReadFile(path, kMaxTable);
    // Without IPv6 there is no second one.
    if (table.ok())
      count += CountConnections(*table, vips);
    else if (!absl::IsNotFound(table.status()))
      return std::nullopt;
  }
  return count;
}

}  // namespace zcluster::facts
