// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/flow_words.h"

#include <arpa/inet.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/words.h"

namespace zcluster::ctl {
namespace {

constexpr uint32_t kIcmp = 1, kTcp = 6, kUdp = 17, kGre = 47, kIcmp6 = 58, kSctp = 132;
// linux/netfilter/nf_conntrack_common.h: IPS_SEEN_REPLY.
constexpr uint32_t kSeenReply = 0x2;
// linux/netfilter/nf_conntrack_tcp.h: enum tcp_conntrack.
constexpr const char* kTcpStates[] = {"NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
                                      "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
                                      "CLOSE",    "SYN_SENT2"};

std::string Protocol(uint32_t number) {
  switch (number) {
    case kIcmp:
      return "icmp";
    case kTcp:
      return "tcp";
    case kUdp:
      return "udp";
    case kGre:
      return "gre";
    case kIcmp6:
      return "icmpv6";
    case kSctp:
      return "sctp";
    default:
      return absl::StrCat("protocol ", number);
  }
}

bool IsIcmp(const v1::Flow& flow) { return flow.protocol() == kIcmp || flow.protocol() == kIcmp6; }

std::string V4(uint32_t address) {
  return absl::StrCat(address >> 24, ".", address >> 16 & 0xff, ".", address >> 8 & 0xff, ".",
                      address & 0xff);
}

// "?" for what is no address.
std::string V6(const std::string& bytes) {
  char text[INET6_ADDRSTRLEN];
  if (bytes.size() != sizeof(in6_addr) ||
      inet_ntop(AF_INET6, bytes.data(), text, sizeof(text)) == nullptr) {
    return "?";
  }
  return text;
}

// One side of a connection.
struct End {
  std::string address;
  uint32_t port = 0;
  bool operator==(const End&) const = default;
};

// A connection in one direction, as packets carry it.
struct Ends {
  End source;
  End destination;
  bool operator==(const Ends&) const = default;
};

Ends Original(const v1::Flow& flow) {
  const bool v4 = flow.has_source_v4();
  return {{v4 ? V4(flow.source_v4()) : V6(flow.source_v6()), flow.source_port()},
          {v4 ? V4(flow.destination_v4()) : V6(flow.destination_v6()), flow.destination_port()}};
}

// The same packets behind NAT: they go to where answers come from, and come from where answers go
// to.
Ends Translated(const v1::Flow& flow) {
  Ends ends = Original(flow);
  if (flow.has_reply_destination_v4()) ends.source.address = V4(flow.reply_destination_v4());
  if (!flow.reply_destination_v6().empty()) ends.source.address = V6(flow.reply_destination_v6());
  if (flow.has_reply_source_v4()) ends.destination.address = V4(flow.reply_source_v4());
  if (!flow.reply_source_v6().empty()) ends.destination.address = V6(flow.reply_source_v6());
  if (IsIcmp(flow)) {
    if (flow.has_reply_source_port()) ends.source.port = flow.reply_source_port();  // the id
    return ends;
  }
  if (flow.has_reply_destination_port()) ends.source.port = flow.reply_destination_port();
  if (flow.has_reply_source_port()) ends.destination.port = flow.reply_source_port();
  return ends;
}

std::string Text(const v1::Flow& flow, const End& end) {
  if (IsIcmp(flow) || flow.protocol() == kGre) return end.address;
  const bool v6 = end.address.find(':') != std::string::npos;
  return absl::StrCat(v6 ? "[" : "", end.address, v6 ? "]:" : ":", end.port);
}

std::string Text(const v1::Flow& flow, const Ends& ends) {
  return absl::StrCat(Text(flow, ends.source), " -> ", Text(flow, ends.destination));
}

// What is known of it in a word; empty: nothing.
std::string State(const v1::Flow& flow) {
  if (flow.gone()) return "gone";
  if (flow.has_tcp()) {
    const uint32_t state = flow.tcp() & 0xf;
    return state < std::size(kTcpStates) ? kTcpStates[state] : "UNKNOWN";
  }
  return (flow.status() & kSeenReply) != 0 ? "" : "UNREPLIED";
}

Json EndsJson(const Ends& ends) {
  return Json::Object({{"source", Json::String(ends.source.address)},
                       {"source_port", Json::Number(ends.source.port)},
                       {"destination", Json::String(ends.destination.address)},
                       {"destination_port", Json::Number(ends.destination.port)}});
}

}  // namespace

std::string FlowLine(const v1::SeenFlow& seen, const Style& style) {
  const v1::Flow& flow = seen.flow();
  const Ends original = Original(flow);
  const Ends translated = Translated(flow);
  std::string line =
      absl::StrCat(absl::FormatTime("%H:%M:%E3S", ToAbsl(seen.at()), absl::UTCTimeZone()), "  ",
                   absl::StrFormat("%-6s", Protocol(flow.protocol())), "  ", Text(flow, original));
  if (translated != original) absl::StrAppend(&line, " => ", Text(flow, translated));
  if (IsIcmp(flow)) {
    absl::StrAppend(&line, "  type ", original.destination.port >> 8, " code ",
                    original.destination.port & 0xff, " id ", original.source.port);
  }
  if (flow.zone() != 0) absl::StrAppend(&line, "  zone ", flow.zone());
  if (flow.mark() != 0) absl::StrAppend(&line, absl::StrFormat("  mark 0x%x", flow.mark()));
  const std::string state = State(flow);
  if (state.empty()) return line;
  const Colour colour = flow.gone()              ? Colour::kGrey
                        : state == "ESTABLISHED" ? Colour::kGreen
                                                 : Colour::kPlain;
  return absl::StrCat(line, "  ", style.Paint(colour, state));
}

Json FlowJson(const v1::SeenFlow& seen, const std::string& node) {
  const v1::Flow& flow = seen.flow();
  const std::string state = State(flow);
  return Json::Object({{"at", MomentJson(ToAbsl(seen.at()))},
                       {"node", Json::String(node)},
                       {"protocol", Json::String(Protocol(flow.protocol()))},
                       {"original", EndsJson(Original(flow))},
                       {"translated", flow.gone() ? Json::Null() : EndsJson(Translated(flow))},
                       {"state", state.empty() || flow.gone() ? Json::Null() : Json::String(state)},
                       {"zone", Json::Number(flow.zone())},
                       {"mark", Json::Number(flow.mark())},
                       {"gone", Json::Bool(flow.gone())}});
}

}  // namespace zcluster::ctl
