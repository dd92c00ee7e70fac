// SPDX-License-Identifier: Apache-2.0
#include "common/flow_words.h"

#include <netinet/in.h>

#include <iterator>

#include "absl/strings/str_cat.h"

namespace zcluster {
namespace {

struct Protocol {
  uint32_t number;
  const char* word;
};
constexpr Protocol kProtocols[] = {
    {IPPROTO_ICMP, "icmp"},       {IPPROTO_TCP, "tcp"},       {IPPROTO_UDP, "udp"},
    {IPPROTO_GRE, "gre"},         {IPPROTO_ICMPV6, "icmpv6"}, {IPPROTO_SCTP, "sctp"},
    {IPPROTO_UDPLITE, "udplite"},
};
// linux/netfilter/nf_conntrack_tcp.h: enum tcp_conntrack.
constexpr const char* kTcpStates[] = {"NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
                                      "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
                                      "CLOSE",    "SYN_SENT2"};

}  // namespace

std::string ProtocolWord(uint32_t number) {
  for (const Protocol& protocol : kProtocols) {
    if (protocol.number == number) return protocol.word;
  }
  return absl::StrCat("protocol ", number);
}

uint32_t ProtocolOf(absl::string_view word) {
  for (const Protocol& protocol : kProtocols) {
    if (protocol.word == word) return protocol.number;
  }
  return 0;
}

std::string TcpStateWord(uint32_t state) {
  return state < std::size(kTcpStates) ? kTcpStates[state] : "UNKNOWN";
}

std::optional<uint32_t> TcpStateOf(absl::string_view word) {
  for (uint32_t state = 0; state < std::size(kTcpStates); ++state) {
    if (word == kTcpStates[state]) return state;
  }
  return std::nullopt;
}

}  // namespace zcluster
