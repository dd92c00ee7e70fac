// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/admission.h"

#include <arpa/inet.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/core/facts.h"
#include "agent/facts/ruleset.h"
#include "common/vrrp.h"

namespace zcluster::facts {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr int kDeepest = 16;  // as deep as the kernel lets chains jump
constexpr char kOurTable[] = "zcluster";

struct Packet {
  bool incoming;
  bool v6;
  std::string protocol;  // as nft writes it: "vrrp", "tcp"
  std::string number;    // the same, as it writes it without /etc/protocols
  std::string from, to;  // empty: any
  std::string interface;
  int port = 0;         // that it goes to
  std::string what;     // for people
  std::string pattern;  // of the rule that lets it through
};

enum class Truth { kNo, kMaybe, kYes };
enum class Fate { kGoesOn, kPasses, kDropped };

struct Chain {
  std::string family, table, name;
  std::string hook, device;
  bool nat = false;
  bool drops = false;  // by its policy
  std::vector<const Struct*> rules;
};
using Chains = std::map<std::string, Chain>;

const Value* Find(const Struct& object, const std::string& key) {
  const auto found = object.fields().find(key);
  return found == object.fields().end() ? nullptr : &found->second;
}

std::string Text(const Value* value) {
  if (value == nullptr) return "";
  if (value->kind_case() == Value::kNumberValue) return absl::StrCat(value->number_value());
  return value->string_value();
}

std::string TextOf(const Struct& object, const std::string& key) { return Text(Find(object, key)); }

bool IsIn(const std::string& address, const Struct& prefix) {
  const int family = absl::StrContains(address, ':') ? AF_INET6 : AF_INET;
  unsigned char a[16] = {}, b[16] = {};
  int bits = 0;
  if (::inet_pton(family, address.c_str(), a) != 1 ||
      ::inet_pton(family, TextOf(prefix, "addr").c_str(), b) != 1 ||
      !absl::SimpleAtoi(TextOf(prefix, "len"), &bits)) {
    return false;
  }
  for (int i = 0; i < std::min(bits, 128); ++i) {
    if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) != 0) return false;
  }
  return true;
}

// Whether what is `actual` (any of its spellings) is what a rule says on its right side.
Truth Equals(const std::vector<std::string>& actual, const Value& right) {
  if (right.kind_case() == Value::kListValue) {
    Truth best = Truth::kNo;
    for (const Value& each : right.list_value().values())
      best = std::max(best, Equals(actual, each));
    return best;
  }
  if (right.kind_case() == Value::kStructValue) {
    const Struct& object = right.struct_value();
    if (const Value* set = Find(object, "set")) return Equals(actual, *set);
    if (const Value* prefix = Find(object, "prefix")) {
      return IsIn(actual.front(), prefix->struct_value()) ? Truth::kYes : Truth::kNo;
    }
    const Value* range = Find(object, "range");
    int value = 0, low = 0, high = 0;
    if (range == nullptr || range->list_value().values_size() != 2 ||
        !absl::SimpleAtoi(actual.front(), &value) ||
        !absl::SimpleAtoi(Text(&range->list_value().values(0)), &low) ||
        !absl::SimpleAtoi(Text(&range->list_value().values(1)), &high)) {
      return Truth::kMaybe;
    }
    return low <= value && value <= high ? Truth::kYes : Truth::kNo;
  }
  const std::string text = Text(&right);
  if (text.empty() || text[0] == '@') return Truth::kMaybe;
  for (const std::string& each : actual) {
    if (each == text) return Truth::kYes;
    if (text.back() == '*' && absl::StartsWith(each, text.substr(0, text.size() - 1)))
      return Truth::kYes;
  }
  return Truth::kNo;
}

// What the packet has where a rule looks. Empty: nobody can say; `absent`: it has no such thing, so
// that no comparison with it holds.
std::vector<std::string> Actual(const Value& left, const Packet& packet, bool& absent) {
  absent = false;
  const Struct& object = left.struct_value();
  if (const Value* meta = Find(object, "meta")) {
    const std::string key = TextOf(meta->struct_value(), "key");
    if (key == "l4proto") return {packet.protocol, packet.number};
    if (key == "nfproto") return {packet.v6 ? "ipv6" : "ipv4"};
    if (key == "protocol") return {packet.v6 ? "ip6" : "ip"};
    const bool in = key == "iif" || key == "iifname", out = key == "oif" || key == "oifname";
    if (((in && packet.incoming) || (out && !packet.incoming)) && !packet.interface.empty())
      return {packet.interface};
    return {};
  }
  if (const Value* ct = Find(object, "ct")) {
    // By our own table.
    if (TextOf(ct->struct_value(), "key") == "state") return {"untracked"};
    absent = true;
    return {};
  }
  const Value* payload = Find(object, "payload");
  if (payload == nullptr) return {};
  const std::string protocol = TextOf(payload->struct_value(), "protocol");
  const std::string field = TextOf(payload->struct_value(), "field");
  if (protocol == "ip" || protocol == "ip6") {
    absent = (protocol == "ip6") != packet.v6;
    if (absent) return {};
    if (field == "protocol" || field == "nexthdr") return {packet.protocol, packet.number};
    if (field == "saddr" && !packet.from.empty()) return {packet.from};
    if (field == "daddr" && !packet.to.empty()) return {packet.to};
    return {};
  }
  absent = protocol != packet.protocol && (protocol != "th" || packet.port == 0);
  if (!absent && field == "dport") return {absl::StrCat(packet.port)};
  return {};
}

Truth Matches(const Struct& match, const Packet& packet) {
  const Value *left = Find(match, "left"), *right = Find(match, "right");
  if (left == nullptr || right == nullptr) return Truth::kMaybe;
  bool absent = false;
  const std::vector<std::string> actual = Actual(*left, packet, absent);
  if (absent) return Truth::kNo;
  if (actual.empty()) return Truth::kMaybe;
  const Truth equal = Equals(actual, *right);
  const std::string op = TextOf(match, "op");
  if (op == "==" || op == "in") return equal;
  if (op != "!=" || equal == Truth::kMaybe) return Truth::kMaybe;
  return equal == Truth::kYes ? Truth::kNo : Truth::kYes;
}

class Walk {
 public:
  Walk(const Chains& chains, const Packet& packet) : chains_(chains), packet_(packet) {}

  Fate Through(const Chain& chain, int depth = 0) const {
    // Too deep or round: the kernel refuses it, so it is not what we think it is.
    if (depth > kDeepest) return Fate::kPasses;
    for (const Struct* rule : chain.rules) {
      bool left = false;
      const Fate fate = Through(chain, *rule, depth, left);
      if (fate != Fate::kGoesOn) return fate;
      if (left) return Fate::kGoesOn;
    }
    return Fate::kGoesOn;
  }

 private:
  // `left`: the packet goes on after this chain.
  Fate Through(const Chain& chain, const Struct& rule, int depth, bool& left) const {
    const Value* statements = Find(rule, "expr");
    if (statements == nullptr) return Fate::kGoesOn;
    Truth so_far = Truth::kYes;
    for (const Value& statement : statements->list_value().values()) {
      const Struct& object = statement.struct_value();
      if (object.fields().empty()) continue;
      const std::string& kind = object.fields().begin()->first;
      const Value& body = object.fields().begin()->second;
      if (kind == "match") {
        so_far = std::min(so_far, Matches(body.struct_value(), packet_));
      } else if (kind == "vmap") {
        const Fate fate = Look(chain, body.struct_value(), so_far, depth, left);
        if (fate != Fate::kGoesOn || left) return fate;
      } else if (kind != "counter" && kind != "log" && kind != "notrack" && kind != "mangle") {
        const bool verdict = IsVerdict(kind);
        // Such as a rate: sometimes.
        if (!verdict) so_far = std::min(so_far, Truth::kMaybe);
        if (verdict && so_far != Truth::kNo) {
          return Decide(chain, kind, body, so_far, depth, left);
        }
      }
      if (so_far == Truth::kNo) return Fate::kGoesOn;
    }
    return Fate::kGoesOn;
  }

  static bool IsVerdict(const std::string& kind) {
    static constexpr absl::string_view kVerdicts[] = {"accept", "drop",   "reject", "jump",
                                                      "goto",   "return", "queue"};
    return std::find(std::begin(kVerdicts), std::end(kVerdicts), kind) != std::end(kVerdicts);
  }

  Fate Decide(const Chain& chain, const std::string& kind, const Value& body, Truth certain,
              int depth, bool& left) const {
    const bool surely = certain == Truth::kYes;
    if (kind == "drop" || kind == "reject") return surely ? Fate::kDropped : Fate::kGoesOn;
    if (kind == "return" && surely) {
      left = true;
      return Fate::kGoesOn;
    }
    if (kind != "jump" && kind != "goto") return Fate::kPasses;
    const auto target = chains_.find(
        absl::StrCat(chain.family, " ", chain.table, " ", TextOf(body.struct_value(), "target")));
    if (target == chains_.end()) return Fate::kPasses;
    const Fate fate = Through(target->second, depth + 1);
    if (!surely) return fate == Fate::kPasses ? fate : Fate::kGoesOn;
    left = kind == "goto" && fate == Fate::kGoesOn;
    return fate;
  }

  // A map of verdicts.
  Fate Look(const Chain& chain, const Struct& map, Truth so_far, int depth, bool& left) const {
    const Value *key = Find(map, "key"), *data = Find(map, "data");
    const Value* set = data == nullptr ? nullptr : Find(data->struct_value(), "set");
    if (key == nullptr || set == nullptr) return Fate::kPasses;
    bool absent = false;
    const std::vector<std::string> actual = Actual(*key, packet_, absent);
    if (absent) return Fate::kGoesOn;
    for (const Value& pair : set->list_value().values()) {
      if (pair.list_value().values_size() != 2) return Fate::kPasses;
      const Truth here =
          actual.empty() ? Truth::kMaybe : Equals(actual, pair.list_value().values(0));
      const Struct& verdict = pair.list_value().values(1).struct_value();
      if (here == Truth::kNo || verdict.fields().empty()) continue;
      const auto& [kind, body] = *verdict.fields().begin();
      if (kind == "continue") continue;
      const Fate fate = Decide(chain, kind, body, std::min(here, so_far), depth, left);
      if (fate != Fate::kGoesOn || left) return fate;
    }
    return Fate::kGoesOn;
  }

  const Chains& chains_;
  const Packet& packet_;
};

Chains ChainsOf(const Struct& ruleset) {
  Chains chains;
  const Value* all = Find(ruleset, "nftables");
  if (all == nullptr) return chains;
  for (const Value& each : all->list_value().values()) {
    const Value* chain = Find(each.struct_value(), "chain");
    const Value* rule = Find(each.struct_value(), "rule");
    if (chain == nullptr && rule == nullptr) continue;
    const Struct& object = (chain != nullptr ? chain : rule)->struct_value();
    const std::string family = TextOf(object, "family"), table = TextOf(object, "table"),
                      name = TextOf(object, chain != nullptr ? "name" : "chain");
    Chain& known = chains[absl::StrCat(family, " ", table, " ", name)];
    if (chain == nullptr) {
      known.rules.push_back(&object);
      continue;
    }
    known.family = family;
    known.table = table;
    known.name = name;
    known.hook = TextOf(object, "hook");
    known.device = TextOf(object, "dev");
    known.nat = TextOf(object, "type") == "nat";
    known.drops = TextOf(object, "policy") == "drop";
  }
  return chains;
}

bool Meets(const Chain& chain, const Packet& packet) {
  if (chain.nat || (chain.family == "inet" && chain.table == kOurTable)) return false;
  if (chain.family == "netdev") {
    return chain.device == packet.interface &&
           chain.hook == (packet.incoming ? "ingress" : "egress");
  }
  if (chain.family != "inet" && chain.family != (packet.v6 ? "ip6" : "ip")) return false;
  return packet.incoming ? chain.hook == "prerouting" || chain.hook == "input"
                         : chain.hook == "output" || chain.hook == "postrouting";
}

// "": nothing drops any of them for certain.
std::string DropperOf(const Chains& chains, const std::vector<Packet>& packets) {
  for (const Packet& packet : packets) {
    for (const auto& [key, chain] : chains) {
      if (chain.hook.empty() || !Meets(chain, packet)) continue;
      const Fate fate = Walk(chains, packet).Through(chain);
      if (fate == Fate::kPasses || (fate == Fate::kGoesOn && !chain.drops)) continue;
      return absl::StrCat("chain ", chain.name, " of table ", chain.family, " ", chain.table,
                          " (hook ", chain.hook, ") drops ", packet.what,
                          fate == Fate::kGoesOn ? " by its policy" : "", "; add: nft insert rule ",
                          chain.family, " ", chain.table, " ", chain.name, " ", packet.pattern,
                          " accept");
    }
  }
  return "";
}

std::vector<Packet> Heartbeats(const MustPass& must) {
  const auto one = [&must](bool incoming) {
    const std::string to = must.multicast ? vrrp::kGroup
                           : incoming     ? must.address
                                          : must.peer_address;
    return Packet{.incoming = incoming,
                  .v6 = false,
                  .protocol = "vrrp",
                  .number = "112",
                  .from = incoming ? must.peer_address : must.address,
                  .to = to,
                  .interface = must.interface,
                  .what = absl::StrCat("VRRP (IP protocol 112) ", incoming ? "from " : "to ",
                                       incoming ? must.peer_address : to),
                  .pattern = absl::StrCat("ip ", incoming ? "saddr " : "daddr ",
                                          incoming ? must.peer_address : to, " ip protocol 112")};
  };
  return {one(true), one(false)};
}

std::vector<Packet> Links(const MustPass& must) {
  std::vector<Packet> packets;
  for (const std::string& peer : must.link_addresses) {
    for (const bool incoming : {true, false}) {
      const bool v6 = absl::StrContains(peer, ':');
      packets.push_back(
          {.incoming = incoming,
           .v6 = v6,
           .protocol = "tcp",
           .number = "6",
           .from = incoming ? peer : "",
           .to = incoming ? "" : peer,
           .interface = "",
           .port = must.link_port,
           .what = absl::StrCat("the agents' link (TCP port ", must.link_port, ") ",
                                incoming ? "from " : "to ", peer),
           .pattern = absl::StrCat(v6 ? "ip6 " : "ip ", incoming ? "saddr " : "daddr ", peer,
                                   " tcp dport ", must.link_port)});
    }
  }
  return packets;
}

}  // namespace

std::vector<core::Fact> Judge(const std::string& ruleset, const MustPass& must) {
  Struct read;
  if (must.peer_address.empty() ||
      !google::protobuf::util::JsonStringToMessage(ruleset, &read).ok()) {
    return {};
  }
  const Chains chains = ChainsOf(read);
  return {{absl::StrCat(core::fact::kAdmission, "heartbeat"), DropperOf(chains, Heartbeats(must))},
          {absl::StrCat(core::fact::kAdmission, "link"), DropperOf(chains, Links(must))}};
}

std::vector<core::Fact> Admission::Look(const MustPass& must, int stop, const std::string& nft) {
  if (must.peer_address.empty()) return {};
  // Read first: a change while nft reads is seen the next time.
  const std::optional<uint32_t> generation = RulesetGeneration();
  if (generation && generation == generation_ && must == must_) return facts_;
  const std::optional<std::string> ruleset = ReadRuleset(nft, stop);
  facts_ = ruleset ? Judge(*ruleset, must) : std::vector<core::Fact>{};
  generation_ = ruleset ? generation : std::nullopt;
  must_ = must;
  return facts_;
}

}  // namespace zcluster::facts
