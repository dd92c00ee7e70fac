// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/flow_filter.h"

#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/flow_rule.h"
#include "common/status.h"
#include "ctl/verbs/flow_words.h"
#include "ctl/verbs/values.h"

namespace zcluster::ctl {
namespace {

constexpr uint32_t kMostPort = 0xffff;

absl::Status Refuse(const Context& context, const std::string& option,
                    const std::string& expected) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": '", context.Value(option), "': expected ", expected));
}

absl::Status ReadProtocol(const Context& context, v1::FlowFilter& filter) {
  const absl::StatusOr<uint8_t> protocol = ParseProtocol(context.Value("--protocol"));
  if (!protocol.ok())
    return Refuse(context, "--protocol", "tcp, udp, icmp, icmpv6, sctp, gre, udplite, or 1 to 255");
  filter.set_protocol(*protocol);
  return absl::OkStatus();
}

absl::Status ReadAddress(const Context& context, v1::FlowFilter& filter) {
  const absl::StatusOr<FlowRule::Network> network = ParseNetwork(context.Value("--address"));
  if (!network.ok())
    return Refuse(context, "--address", "an address, or a network such as 10.1.0.0/24");
  filter.set_address(std::string(network->address.begin(),
                                 network->address.begin() + (network->family == AF_INET ? 4 : 16)));
  filter.set_prefix_length(network->length);
  return absl::OkStatus();
}

absl::Status ReadState(const Context& context, v1::FlowFilter& filter) {
  const std::string word = absl::AsciiStrToUpper(context.Value("--state"));
  const std::optional<uint32_t> state = TcpStateOf(word);
  if (word == "UNREPLIED") {
    filter.set_unreplied(true);
  } else if (state) {
    filter.set_tcp_state(*state);
  } else {
    return Refuse(context, "--state", "a state of TCP such as ESTABLISHED, or UNREPLIED");
  }
  return absl::OkStatus();
}

absl::Status ReadMark(const Context& context, v1::FlowFilter& filter) {
  FlowRule rule;
  if (!ParseMark(context.Value("--mark"), rule).ok())
    return Refuse(context, "--mark", "a number, or two with a mask such as 0x10/0xf0");
  filter.set_mark(rule.mark);
  filter.set_mark_mask(rule.mark_mask);
  return absl::OkStatus();
}

v1::FlowClass ClassOf(const std::string& word) {
  for (const v1::FlowClass what :
       {v1::FLOW_CLASS_FORWARDED, v1::FLOW_CLASS_TRANSLATED, v1::FLOW_CLASS_LOCAL,
        v1::FLOW_CLASS_OWN, v1::FLOW_CLASS_FILTERED}) {
    if (Word(what) == word) return what;
  }
  return v1::FLOW_CLASS_UNSPECIFIED;
}

}  // namespace

std::vector<Option> FlowFilterOptions() {
  return {
      {"--protocol", "", "PROTOCOL",
       "only tcp, udp, icmp, icmpv6, sctp, gre, udplite, or a number"},
      {"--address", "", "ADDRESS[/LENGTH]",
       "only with an end in that network, before or behind NAT"},
      {"--port", "", "PORT", "only with an end at that port, before or behind NAT"},
      {"--state", "", "STATE", "only in that state of TCP, such as ESTABLISHED, or UNREPLIED"},
      {"--mark", "", "MARK[/MASK]", "only with that mark"},
      {"--zone", "", "ZONE", "only of that zone"},
      {"--nat", "", "", "only with NAT"},
      {"--class",
       "",
       "CLASS",
       "forwarded (through the node), translated (so with NAT), local (ends on the node), own (the "
       "agents' link, loopback), filtered (not replicated by the pair's configuration)",
       {"forwarded", "translated", "local", "own", "filtered"}},
  };
}

absl::StatusOr<v1::FlowFilter> FlowFilterOf(const Context& context) {
  v1::FlowFilter filter;
  if (context.Given("--protocol")) ZC_RETURN_IF_ERROR(ReadProtocol(context, filter));
  if (context.Given("--address")) ZC_RETURN_IF_ERROR(ReadAddress(context, filter));
  if (context.Given("--state")) ZC_RETURN_IF_ERROR(ReadState(context, filter));
  if (context.Given("--mark")) ZC_RETURN_IF_ERROR(ReadMark(context, filter));
  if (context.Given("--port")) {
    ZC_ASSIGN_OR_RETURN(const uint32_t port, NumberOf(context, "--port", 1, kMostPort));
    filter.set_port(port);
  }
  if (context.Given("--zone")) {
    ZC_ASSIGN_OR_RETURN(const uint32_t zone, NumberOf(context, "--zone", 0, kMostPort));
    filter.set_zone(zone);
  }
  filter.set_translated(context.Has("--nat"));
  if (context.Given("--class")) filter.set_flow_class(ClassOf(context.Value("--class")));
  return filter;
}

}  // namespace zcluster::ctl
