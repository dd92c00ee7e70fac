// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/timeouts.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_sctp.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"

namespace zcluster::conntrack {
namespace {

uint32_t ReadSeconds(absl::string_view name, uint32_t otherwise) {
  const absl::StatusOr<std::string> text =
      ReadFile(absl::StrCat("/proc/sys/net/netfilter/nf_conntrack_", name), 64);
  uint32_t seconds = 0;
  if (!text.ok() || !absl::SimpleAtoi(absl::StripAsciiWhitespace(*text), &seconds))
    return otherwise;
  return seconds;
}

}  // namespace

Timeouts Timeouts::Read() {
  Timeouts read;
  read.generic_ = ReadSeconds("generic_timeout", 600);
  read.tcp_.fill(read.generic_);
  const uint32_t syn_sent = ReadSeconds("tcp_timeout_syn_sent", 120);
  read.tcp_[TCP_CONNTRACK_SYN_SENT] = syn_sent;
  read.tcp_[TCP_CONNTRACK_SYN_SENT2] = syn_sent;
  read.tcp_[TCP_CONNTRACK_SYN_RECV] = ReadSeconds("tcp_timeout_syn_recv", 60);
  read.tcp_[TCP_CONNTRACK_ESTABLISHED] = ReadSeconds("tcp_timeout_established", 432000);
  read.tcp_[TCP_CONNTRACK_FIN_WAIT] = ReadSeconds("tcp_timeout_fin_wait", 120);
  read.tcp_[TCP_CONNTRACK_CLOSE_WAIT] = ReadSeconds("tcp_timeout_close_wait", 60);
  read.tcp_[TCP_CONNTRACK_LAST_ACK] = ReadSeconds("tcp_timeout_last_ack", 30);
  read.tcp_[TCP_CONNTRACK_TIME_WAIT] = ReadSeconds("tcp_timeout_time_wait", 120);
  read.tcp_[TCP_CONNTRACK_CLOSE] = ReadSeconds("tcp_timeout_close", 10);
  read.udp_ = ReadSeconds("udp_timeout", 30);
  read.udp_stream_ = ReadSeconds("udp_timeout_stream", 120);
  read.gre_ = ReadSeconds("gre_timeout", 30);
  read.gre_stream_ = ReadSeconds("gre_timeout_stream", 180);
  read.icmp_ = ReadSeconds("icmp_timeout", 30);
  read.icmpv6_ = ReadSeconds("icmpv6_timeout", 30);
  read.sctp_.fill(read.generic_);
  read.sctp_[SCTP_CONNTRACK_CLOSED] = ReadSeconds("sctp_timeout_closed", 10);
  read.sctp_[SCTP_CONNTRACK_COOKIE_WAIT] = ReadSeconds("sctp_timeout_cookie_wait", 3);
  read.sctp_[SCTP_CONNTRACK_COOKIE_ECHOED] = ReadSeconds("sctp_timeout_cookie_echoed", 3);
  read.sctp_[SCTP_CONNTRACK_ESTABLISHED] = ReadSeconds("sctp_timeout_established", 210);
  read.sctp_[SCTP_CONNTRACK_SHUTDOWN_SENT] = ReadSeconds("sctp_timeout_shutdown_sent", 3);
  read.sctp_[SCTP_CONNTRACK_SHUTDOWN_RECD] = ReadSeconds("sctp_timeout_shutdown_recd", 3);
  read.sctp_[SCTP_CONNTRACK_SHUTDOWN_ACK_SENT] = ReadSeconds("sctp_timeout_shutdown_ack_sent", 3);
  read.sctp_[SCTP_CONNTRACK_HEARTBEAT_SENT] = ReadSeconds("sctp_timeout_heartbeat_sent", 30);
  return read;
}

uint32_t Timeouts::Of(const Flow& flow) const {
  switch (flow.key.protocol) {
    case IPPROTO_TCP:
      return flow.tcp.state < tcp_.size() ? tcp_[flow.tcp.state] : generic_;
    case IPPROTO_SCTP:
      return flow.rare && flow.rare->sctp_state < sctp_.size() ? sctp_[flow.rare->sctp_state]
                                                               : generic_;
    case IPPROTO_GRE:
      return (flow.status & IPS_SEEN_REPLY) != 0 ? gre_stream_ : gre_;
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
      return (flow.status & IPS_ASSURED) != 0 ? udp_stream_ : udp_;
    case IPPROTO_ICMP:
      return icmp_;
    case IPPROTO_ICMPV6:
      return icmpv6_;
    default:
      return generic_;
  }
}

}  // namespace zcluster::conntrack
