// SPDX-License-Identifier: Apache-2.0
#include "agent/core/facts.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace zcluster::core {
namespace {

// A table that is this full drops new connections soon, or already.
constexpr uint64_t kFull = 95;
constexpr uint64_t kFilling = 80;
// SQLite needs room for its journal too; below that, terms cannot be kept.
constexpr uint64_t kNoSpace = 8;
constexpr uint64_t kLittleSpace = 64;

struct Node {
  const std::string& name;
  const std::vector<Fact>& facts;

  // Null: not told.
  const std::string* Find(absl::string_view fact) const {
    for (const Fact& each : facts) {
      if (each.name == fact) return &each.value;
    }
    return nullptr;
  }
  std::optional<uint64_t> Number(absl::string_view fact) const {
    const std::string* text = Find(fact);
    uint64_t value = 0;
    if (text == nullptr || !absl::SimpleAtoi(*text, &value)) return std::nullopt;
    return value;
  }
};

using List = std::vector<Precondition>;

std::string OnEach(const Node& a, const std::string& x, const Node& b, const std::string& y) {
  return absl::StrCat(x, " on ", a.name, ", ", y, " on ", b.name);
}

// What is to be alike: a line for each that differs, and one for all the rest.
struct Alike {
  absl::string_view prefix;
  absl::string_view all;  // "sysctls"
  bool must;              // else it is only worth a look
};

void AddAlike(const Node& a, const Node& b, const Alike& what, List& list) {
  int alike = 0;
  for (const Fact& fact : a.facts) {
    if (!absl::StartsWith(fact.name, what.prefix)) continue;
    const std::string* other = b.Find(fact.name);
    if (other == nullptr) continue;
    if (*other == fact.value) {
      ++alike;
    } else {
      list.push_back({fact.name, "", !what.must, !what.must,
                      absl::StrCat(fact.name, " is ", OnEach(a, fact.value, b, *other))});
    }
  }
  if (alike > 0) {
    list.push_back({std::string(what.all), "", true, false,
                    absl::StrCat(alike, " ", what.all, " are alike on both")});
  }
}

void AddVersions(const Node& a, const Node& b, List& list) {
  const std::string* x = a.Find(fact::kVersion);
  const std::string* y = b.Find(fact::kVersion);
  if (x == nullptr || y == nullptr) return;
  list.push_back({"version", "", true, *x != *y,
                  *x == *y ? absl::StrCat("both run ", *x)
                           : absl::StrCat("they differ: ", OnEach(a, *x, b, *y))});
}

void AddGeneration(const Node& a, const Node& b, List& list) {
  const std::string* x = a.Find(fact::kGeneration);
  const std::string* y = b.Find(fact::kGeneration);
  if (x == nullptr || y == nullptr) return;
  list.push_back({"configuration", "", *x == *y, false,
                  *x == *y ? absl::StrCat("both hold generation ", *x)
                           : absl::StrCat("the nodes hold different generations of the "
                                          "configuration: ",
                                          OnEach(a, *x, b, *y))});
}

// Whether `standby` has room for what `master` tracks. 0 is no limit.
bool Fits(const Node& master, uint64_t master_maximum, uint64_t standby_maximum) {
  const uint64_t percent = master.Number(fact::kTableFill).value_or(0);
  return standby_maximum == 0 || master_maximum * percent / 100 < standby_maximum * kFull / 100;
}

void AddTables(const State& state, const Node& a, const Node& b, List& list) {
  const std::optional<uint64_t> x = a.Number(fact::kTableMaximum);
  const std::optional<uint64_t> y = b.Number(fact::kTableMaximum);
  if (x && y) {
    const bool a_stands_by = state.peer.Says(Role::kMaster);
    const Node& master = a_stands_by ? b : a;
    const Node& standby = a_stands_by ? a : b;
    const bool fits = a_stands_by ? Fits(master, *y, *x) : Fits(master, *x, *y);
    const std::string sizes = absl::StrCat("net.netfilter.nf_conntrack_max is ",
                                           OnEach(a, absl::StrCat(*x), b, absl::StrCat(*y)));
    list.push_back(
        {"conntrack table", "", fits, fits && *x != *y,
         *x == *y ? absl::StrCat("both may track ", *x, " connections")
         : fits   ? sizes
                : absl::StrCat("the connections of ", master.name, " do not fit into the table of ",
                               standby.name, ": ", sizes)});
  }
  for (const Node* node : {&a, &b}) {
    const std::optional<uint64_t> fill = node->Number(fact::kTableFill);
    if (!fill) continue;
    list.push_back({"conntrack fill", node->name, *fill < kFull, *fill >= kFilling && *fill < kFull,
                    absl::StrCat("the table of connections of ", node->name, " is ", *fill,
                                 " % full", *fill < kFull ? "" : "; raise nf_conntrack_max")});
  }
}

// What the standby cannot reach or carry although the master can keeps it from serving; what
// neither can, no failover makes worse.
void AddReach(const State& state, const Node& own, const Node& peer, List& list) {
  const bool peer_serves = state.peer.Says(Role::kMaster);
  const Node& master = peer_serves ? peer : own;
  const Node& standby = peer_serves ? own : peer;
  for (const Fact& fact : standby.facts) {
    const std::string* there = master.Find(fact.name);
    if (there == nullptr) continue;
    if (absl::StartsWith(fact.name, fact::kNetwork)) {
      const bool here = !fact.value.empty();
      const std::string what = absl::StrCat("the VIPs' ", fact.name);
      list.push_back({fact.name, standby.name, here || there->empty(), !here && there->empty(),
                      here ? absl::StrCat(what, " is on ", fact.value, " of ", standby.name)
                      : there->empty() ? absl::StrCat(what, " is on no interface of either node")
                                       : absl::StrCat(what, " is on no interface of ", standby.name,
                                                      " that is up")});
    } else if (absl::StartsWith(fact.name, fact::kBackend)) {
      const bool here = fact.value == "reachable";
      const bool nobody = !here && *there != "reachable";
      list.push_back({fact.name, standby.name, here || nobody, nobody,
                      here
                          ? absl::StrCat(fact.name, " is reachable from ", standby.name)
                          : absl::StrCat(fact.name, " is not reachable from ",
                                         nobody ? "either node" : standby.name, ": ", fact.value)});
    }
  }
}

// Adverts go from the master alone, but the next master's must arrive too: deaf to it, this node
// would take over again beside it.
void AddHeartbeat(const Node& a, const Node& b, List& list) {
  const std::string* heard[] = {a.Find(fact::kHeartbeat), b.Find(fact::kHeartbeat)};
  // An older peer sends nothing while it stands by, and would seem silent.
  if (heard[0] == nullptr || heard[1] == nullptr) return;
  for (int i : {0, 1}) {
    const Node& node = i == 0 ? a : b;
    const Node& other = i == 0 ? b : a;
    const bool met = *heard[i] != "silent";
    list.push_back(
        {"heartbeat", node.name, met, false,
         met ? absl::StrCat(node.name, " hears the heartbeat of ", other.name)
             : absl::StrCat(node.name, " hears no heartbeat (IP protocol 112) of ", other.name,
                            "; a packet filter or the network between them drops it")});
  }
}

// A filter that drops the link over one address while it lives over another takes nothing down yet.
void AddAdmission(const State& state, const Node& node, List& list) {
  for (const Fact& fact : node.facts) {
    if (!absl::StartsWith(fact.name, fact::kAdmission)) continue;
    const bool admitted = fact.value.empty();
    const absl::string_view what = absl::string_view(fact.name).substr(fact::kAdmission.size());
    const bool lives = what == "link" && state.peer.connected;
    list.push_back({fact.name, node.name, admitted || lives, !admitted && lives,
                    admitted ? absl::StrCat("no packet filter on ", node.name, " drops the ", what)
                             : absl::StrCat("on ", node.name, " ", fact.value)});
  }
}

// Adverts of others are dropped here, but ours may reach them, and VRRP's words are theirs then.
void AddRouterId(const Node& node, List& list) {
  if (node.Find(fact::kRouterId) == nullptr) return;
  const std::string stranger = StrangerIn(node.facts);
  list.push_back(
      {std::string(fact::kRouterId), node.name, true, !stranger.empty(),
       stranger.empty()
           ? absl::StrCat("no other router uses the pair's router id, as ", node.name, " hears")
           : absl::StrCat(stranger, ", as ", node.name,
                          " hears; give one of the two another id (vrrp.router_id)")});
}

// The link needs one of them.
void AddLinks(const Node& node, const std::string& other, List& list) {
  for (const Fact& fact : node.facts) {
    if (!absl::StartsWith(fact.name, fact::kPeerLink)) continue;
    const bool lives = fact.value == "reachable";
    list.push_back({fact.name, node.name, true, !lives,
                    absl::StrCat(node.name, lives ? " reaches " : " does not reach ", other, " at ",
                                 fact.name.substr(fact::kPeerLink.size()),
                                 lives ? "" : absl::StrCat(": ", fact.value))});
  }
}

void AddDisk(const Node& node, List& list) {
  const std::optional<uint64_t> free = node.Number(fact::kDiskFree);
  if (!free) return;
  const bool met = *free >= kNoSpace;
  list.push_back({"disk", node.name, met, met && *free < kLittleSpace,
                  absl::StrCat(*free, " MiB are free for the agent's state on ", node.name,
                               met ? "" : absl::StrCat("; it needs ", kNoSpace))});
}

void AddCertificate(const State& state, const Node& node, List& list) {
  const std::optional<uint64_t> ends = node.Number(fact::kCertificate);
  if (!ends || state.wall == absl::InfinitePast()) return;
  const absl::Time end = absl::FromUnixSeconds(static_cast<int64_t>(*ends));
  const std::string day = absl::FormatTime("%Y-%m-%d %H:%M UTC", end, absl::UTCTimeZone());
  // Whether it is renewed in time, its own node sees: the component "certificate".
  const bool over = end <= state.wall;
  list.push_back(
      {"certificate", node.name, true, over,
       absl::StrCat("the certificate of ", node.name, over ? " ended " : " is good until ", day)});
}

void AddLocal(const Node& node, List& list) {
  const std::optional<uint64_t> count = node.Number(fact::kLocal);
  if (!count || *count == 0) return;
  list.push_back(
      {"local connections", node.name, true, true,
       *count == 1
           ? absl::StrCat("1 connection ends on ", node.name, " itself and will break")
           : absl::StrCat(*count, " connections end on ", node.name, " itself and will break")});
}

void AddKept(const Node& node, List& list) {
  const std::optional<uint64_t> count = node.Number(fact::kKept);
  if (!count || *count == 0) return;
  list.push_back({"conflicts", node.name, true, true,
                  absl::StrCat("files that were changed on ", node.name,
                               " and overwritten by the other node's are kept aside there (",
                               *count, *count == 1 ? " set" : " sets", "): see `zctl conflicts`")});
}

void AddClock(const State& state, List& list) {
  if (!state.peer.clock_ahead) return;
  const absl::Duration ahead = *state.peer.clock_ahead;
  const bool apart = absl::AbsDuration(ahead) > kClockSkew;
  static const std::string kWithin =
      absl::StrCat("the clocks agree within ", absl::FormatDuration(kClockSkew));
  list.push_back({"clock", "", true, apart,
                  apart ? absl::StrCat("the clock of ", state.config.peer_name, " is ",
                                       absl::FormatDuration(absl::Trunc(absl::AbsDuration(ahead),
                                                                        absl::Milliseconds(100))),
                                       ahead > absl::ZeroDuration() ? " ahead of" : " behind",
                                       " that of ", state.config.node_name)
                        : kWithin});
}

}  // namespace

std::string StrangerIn(const std::vector<Fact>& facts) {
  for (const Fact& fact : facts) {
    if (fact.name == fact::kRouterId) return fact.value == "alone" ? "" : fact.value;
  }
  return "";
}

std::string LinkWarning(const State& state) {
  if (!state.peer.connected) return "";
  List list;
  AddLinks({state.config.node_name, state.facts}, state.config.peer_name, list);
  std::string warnings;
  for (const Precondition& each : list) {
    if (each.warning) absl::StrAppend(&warnings, warnings.empty() ? "" : "; ", each.evidence);
  }
  return warnings;
}

std::vector<Precondition> FactPreconditions(const State& state) {
  List list;
  list.reserve(16);  // they are large, and this is asked at each change
  static const std::vector<Fact> kNone;
  const bool told = state.peer.connected && state.peer.told;
  const Node own{state.config.node_name, state.facts};
  const Node peer{state.config.peer_name, told ? state.peer.told->facts : kNone};
  AddVersions(own, peer, list);
  AddGeneration(own, peer, list);
  AddAlike(own, peer, {fact::kSysctl, "sysctls", true}, list);
  // The kernel loads most modules as they are needed.
  AddAlike(own, peer, {fact::kModule, "modules", false}, list);
  AddTables(state, own, peer, list);
  if (told) AddHeartbeat(own, peer, list);
  if (told) AddReach(state, own, peer, list);
  if (told) AddClock(state, list);
  AddLinks(own, state.config.peer_name, list);
  AddLinks(peer, state.config.node_name, list);
  for (const Node* node : {&own, &peer}) {
    AddAdmission(state, *node, list);
    AddRouterId(*node, list);
    AddDisk(*node, list);
    AddCertificate(state, *node, list);
    AddLocal(*node, list);
    AddKept(*node, list);
  }
  return list;
}

}  // namespace zcluster::core
