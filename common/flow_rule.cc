// SPDX-License-Identifier: Apache-2.0
#include "common/flow_rule.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/flow_words.h"
#include "common/status.h"
#include "common/values.h"

namespace zcluster {
namespace {

using values::Invalid;
using values::IsDigits;

bool ParsePort(absl::string_view text, uint16_t& port) {
  uint32_t number = 0;
  if (!IsDigits(text) || !absl::SimpleAtoi(text, &number) || number == 0 || number > 0xffff)
    return false;
  port = static_cast<uint16_t>(number);
  return true;
}

bool ParseNumber(absl::string_view text, uint32_t& number) {
  if (text.substr(0, 2) == "0x") return text.size() > 2 && absl::SimpleHexAtoi(text, &number);
  return IsDigits(text) && absl::SimpleAtoi(text, &number);
}

}  // namespace

absl::StatusOr<uint8_t> ParseProtocol(absl::string_view text) {
  uint32_t number = ProtocolOf(absl::AsciiStrToLower(text));
  if (number == 0 && IsDigits(text) && !absl::SimpleAtoi(text, &number)) number = 0;
  if (number == 0 || number > 255)
    return Invalid(text, "tcp, udp, icmp, icmpv6, sctp, gre, udplite, or a number from 1 to 255");
  return static_cast<uint8_t>(number);
}

absl::StatusOr<FlowRule::Network> ParseNetwork(absl::string_view text) {
  ZC_ASSIGN_OR_RETURN(const values::Address address, values::ParseAddress(text));
  FlowRule::Network network;
  network.family = address.v6 ? AF_INET6 : AF_INET;
  const int bits = address.v6 ? 128 : 32;
  network.length = static_cast<uint8_t>(address.prefix_length < 0 ? bits : address.prefix_length);
  ::inet_pton(network.family, address.text.c_str(), network.address.data());
  // What lies behind the prefix means nothing: 10.1.2.3/8 is 10.0.0.0/8.
  for (size_t i = 0; i < network.address.size(); ++i) {
    const int left = std::clamp(network.length - 8 * static_cast<int>(i), 0, 8);
    network.address[i] &= static_cast<uint8_t>(0xff00 >> left);
  }
  return network;
}

absl::StatusOr<FlowRule::Ports> ParsePorts(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  FlowRule::Ports ports;
  const bool range = text.find('-') != absl::string_view::npos;
  if (!ParsePort(parts.first, ports.first) ||
      !ParsePort(range ? parts.second : parts.first, ports.last) || ports.first > ports.last)
    return Invalid(text, "a port such as 443, or two such as 1024-65535");
  return ports;
}

absl::Status ParseState(absl::string_view text, FlowRule& rule) {
  const std::optional<uint32_t> state = TcpStateOf(text);
  if (text == "UNREPLIED") {
    rule.unreplied = true;
  } else if (state) {
    rule.tcp_states = static_cast<uint16_t>(rule.tcp_states | 1 << *state);
  } else {
    return Invalid(text,
                   "UNREPLIED, or a state of TCP: NONE, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, "
                   "CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE or SYN_SENT2");
  }
  return absl::OkStatus();
}

absl::Status ParseMark(absl::string_view text, FlowRule& rule) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('/', 1));
  const bool masked = text.find('/') != absl::string_view::npos;
  uint32_t mark = 0, mask = ~uint32_t{0};
  if (!ParseNumber(parts.first, mark) ||
      (masked && (!ParseNumber(parts.second, mask) || mask == 0 || (mark & ~mask) != 0)))
    return Invalid(text,
                   "a number such as 0x10, or two such as 0x10/0xf0, with no bit beside the mask");
  rule.mark = mark;
  rule.mark_mask = mask;
  return absl::OkStatus();
}

}  // namespace zcluster
