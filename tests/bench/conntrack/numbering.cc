// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/conntrack/numbering.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include <cstring>

namespace zcluster::conntrack_bench {
namespace {

constexpr uint32_t kFirstBackend = 0xcb007101;  // 203.0.113.1
constexpr uint16_t kBackendPort = 8443;

conntrack::Address Address(uint32_t host_order) {
  conntrack::Address address{};
  const uint32_t bytes = htonl(host_order);
  std::memcpy(address.data(), &bytes, sizeof bytes);
  return address;
}

}  // namespace

conntrack::Flow Balanced(uint64_t number) {
  conntrack::Flow flow;
  flow.key.protocol = IPPROTO_TCP;
  flow.key.source = Address(ClientOf(number));
  flow.key.source_port = PortOf(number);
  flow.key.destination = Address(kService);
  flow.key.destination_port = kServicePort;
  flow.reply = conntrack::Inverse(flow.key);
  flow.reply.source = Address(kFirstBackend + static_cast<uint32_t>(number % 16));
  flow.reply.source_port = kBackendPort;
  flow.status = IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED;
  flow.has_tcp = true;
  flow.tcp.state = TCP_CONNTRACK_ESTABLISHED;
  flow.tcp.original_scale = flow.tcp.reply_scale = 7;
  flow.tcp.original_flags = flow.tcp.reply_flags =
      IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM;
  return flow;
}

}  // namespace zcluster::conntrack_bench
