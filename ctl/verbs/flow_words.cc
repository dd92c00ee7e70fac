// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/flow_words.h"

#include <arpa/inet.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/words.h"

namespace zcluster::ctl {
namespace {

constexpr uint32_t kIcmp = 1, kGre = 47, kIcmp6 = 58;
// linux/netfilter/nf_conntrack_common.h: IPS_SEEN_REPLY.
constexpr uint32_t kSeenReply = 0x2;

}  // namespace

std::string Word(v1::FlowClass what) {
  switch (what) {
    case v1::FLOW_CLASS_FORWARDED:
      return "forwarded";
    case v1::FLOW_CLASS_TRANSLATED:
      return "translated";
    case v1::FLOW_CLASS_LOCAL:
      return "local";
    case v1::FLOW_CLASS_OWN:
      return "own";
    case v1::FLOW_CLASS_FILTERED:
      return "filtered";
    default:
      return "unknown";
  }
}

namespace {

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
  if (flow.has_tcp()) return TcpStateWord(flow.tcp() & 0xf);
  return (flow.status() & kSeenReply) != 0 ? "" : "UNREPLIED";
}

std::string Hex(uint32_t value) { return absl::StrFormat("0x%x", value); }

// The kernel's IPS_* bits, as `conntrack -L` names some of them.
std::string StatusWords(uint32_t status) {
  static constexpr std::pair<uint32_t, const char*> kBits[] = {
      {0x2, "SEEN_REPLY"}, {0x4, "ASSURED"},       {0x8, "CONFIRMED"},     {0x10, "SRC_NAT"},
      {0x20, "DST_NAT"},   {0x80, "SRC_NAT_DONE"}, {0x100, "DST_NAT_DONE"}};
  std::string words;
  for (const auto& [bit, word] : kBits) {
    if ((status & bit) != 0) absl::StrAppend(&words, words.empty() ? "" : "+", word);
  }
  return words.empty() ? "none" : words;
}

// The number of the last field of v1::Flow that DifferingFields() has words for.
constexpr int kLastInWords = 18;

// One field as the protos' text has it; empty if it is not set.
std::string Alone(const v1::Flow& flow, const google::protobuf::FieldDescriptor* field) {
  v1::Flow rest = flow;
  std::vector<const google::protobuf::FieldDescriptor*> set;
  rest.GetReflection()->ListFields(rest, &set);
  for (const auto* other : set) {
    if (other != field) rest.GetReflection()->ClearField(&rest, other);
  }
  return rest.ShortDebugString();
}

Json EndsJson(const Ends& ends) {
  return Json::Object({{"source", Json::String(ends.source.address)},
                       {"source_port", Json::Number(ends.source.port)},
                       {"destination", Json::String(ends.destination.address)},
                       {"destination_port", Json::Number(ends.destination.port)}});
}

}  // namespace

std::string FlowText(const v1::Flow& flow, const Style& style) {
  const Ends original = Original(flow);
  const Ends translated = Translated(flow);
  std::string line = absl::StrCat(absl::StrFormat("%-6s", ProtocolWord(flow.protocol())), "  ",
                                  Text(flow, original));
  if (!flow.gone() && translated != original) {
    absl::StrAppend(&line, " => ", Text(flow, translated));
  }
  if (IsIcmp(flow)) {
    absl::StrAppend(&line, "  type ", original.destination.port >> 8, " code ",
                    original.destination.port & 0xff, " id ", original.source.port);
  }
  if (flow.zone() != 0) absl::StrAppend(&line, "  zone ", flow.zone());
  if (flow.mark() != 0) absl::StrAppend(&line, "  mark ", Hex(flow.mark()));
  const std::string state = State(flow);
  if (state.empty()) return line;
  const Colour colour = flow.gone()              ? Colour::kGrey
                        : state == "ESTABLISHED" ? Colour::kGreen
                                                 : Colour::kPlain;
  return absl::StrCat(line, "  ", style.Paint(colour, state));
}

std::string FlowLine(const v1::SeenFlow& seen, const Style& style) {
  return absl::StrCat(absl::FormatTime("%H:%M:%E3S", ToAbsl(seen.at()), absl::UTCTimeZone()), "  ",
                      FlowText(seen.flow(), style));
}

Json::Members FlowMembers(const v1::Flow& flow) {
  const std::string state = State(flow);
  return {{"protocol", Json::String(ProtocolWord(flow.protocol()))},
          {"original", EndsJson(Original(flow))},
          {"translated", flow.gone() ? Json::Null() : EndsJson(Translated(flow))},
          {"state", state.empty() || flow.gone() ? Json::Null() : Json::String(state)},
          {"zone", Json::Number(flow.zone())},
          {"mark", Json::Number(flow.mark())},
          {"gone", Json::Bool(flow.gone())}};
}

Json FlowJson(const v1::SeenFlow& seen, const std::string& node) {
  Json::Members members = {{"at", MomentJson(ToAbsl(seen.at()))}, {"node", Json::String(node)}};
  for (auto& member : FlowMembers(seen.flow())) members.push_back(std::move(member));
  return Json::Object(std::move(members));
}

std::vector<FlowField> DifferingFields(const v1::Flow& master, const v1::Flow& standby) {
  std::vector<FlowField> fields;
  const auto compare = [&](const std::string& name, std::string a, std::string b) {
    if (a != b) fields.push_back({name, std::move(a), std::move(b)});
  };
  compare("nat", Text(master, Translated(master)), Text(standby, Translated(standby)));
  compare("state", State(master), State(standby));
  // Window scales and flags, which have no words: see conntrack.proto.
  compare("tcp", Hex(master.tcp() >> 4), Hex(standby.tcp() >> 4));
  compare("status", StatusWords(master.status()), StatusWords(standby.status()));
  compare("mark", Hex(master.mark()), Hex(standby.mark()));
  // What this program knows no better words for.
  const auto& descriptor = *v1::Flow::descriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const auto* field = descriptor.field(i);
    if (field->number() > kLastInWords)
      compare(std::string(field->name()), Alone(master, field), Alone(standby, field));
  }
  return fields;
}

}  // namespace zcluster::ctl
