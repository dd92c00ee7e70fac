// SPDX-License-Identifier: Apache-2.0
#include "agent/core/status.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/core/boot_gate.h"
#include "agent/core/facts.h"
#include "agent/core/health.h"
#include "agent/core/maintenance_time.h"
#include "agent/core/names.h"
#include "agent/core/readiness.h"
#include "agent/core/roles.h"

namespace zcluster::core {
namespace {

using Colour = std::pair<Status, std::string>;

// The first of several reasons, and how many more there are: a table has one line a node.
std::string Shortened(const std::vector<std::string>& reasons) {
  if (reasons.size() == 1) return reasons.front();
  return absl::StrCat(reasons.front(), " (and ", reasons.size() - 1, " more)");
}

// What is wrong with this node: its own parts, and what it serves with.
bool IsIll(const State& state) { return !state.problems.empty() || !Failing(state.checks).empty(); }

std::string Problems(const State& state) {
  std::vector<std::string> all = Failing(state.checks);
  for (const auto& [component, problem] : state.problems) {
    all.push_back(absl::StrCat(component, ": ", problem));
  }
  return Shortened(all);
}

// What is well, but for a path less than there was.
std::string Warned(const State& state, std::string text) {
  const std::string warning = LinkWarning(state);
  return warning.empty() ? text : absl::StrCat(text, "; warning: ", warning);
}

// Why a move by health that is due is not made.
absl::string_view WhyHeld(const State& state) {
  return state.durable.freeze.active ? "the pair is frozen" : "it has moved too often of late";
}

// `reasons`: those that it is not ready, of the two that ask for them.
using Reasons = std::vector<std::string>;

Colour OfMaster(const State& state, const Reasons& reasons) {
  const std::string& peer = state.config.peer_name;
  const std::string since = absl::StrCat("master since term ", state.durable.own_term.value);
  if (IsIll(state)) {
    const std::string why = absl::StrCat(since, "; ", Problems(state));
    return {Status::kRed, state.moves.held ? absl::StrCat(why, "; stays, though ", peer,
                                                          " could serve better: ", WhyHeld(state))
                                           : why};
  }
  if (const std::string missing = NoRoomThere(state); state.peer.connected && !missing.empty())
    return {Status::kRed, absl::StrCat(since, "; ", missing)};
  if (!state.unproven.empty()) {
    return {Status::kRed, absl::StrCat(since, "; serves with what it has: ", state.unproven)};
  }
  if (!state.peer.connected) {
    return {Status::kGreen,
            absl::StrCat(since, "; serves alone: ", peer, " is unreachable: ", state.peer.problem)};
  }
  if (!reasons.empty()) {
    return {Status::kGreen, absl::StrCat(since, "; ", peer, " is not ready: ", Shortened(reasons))};
  }
  return {Status::kGreen, Warned(state, absl::StrCat(since, "; ", peer, " is ready"))};
}

Colour OfBackup(const State& state, const Reasons& reasons) {
  if (state.question) {
    const std::string& peer = state.config.peer_name;
    return {Status::kRed, state.question->refuted
                              ? absl::StrCat("gives way to ", peer, ", which serves")
                              : absl::StrCat("took over without adverts of ", peer,
                                             "; asks it whether it serves")};
  }
  if (!reasons.empty()) {
    return {Status::kRed, absl::StrCat("not ready to take over: ", Shortened(reasons))};
  }
  if (IsIll(state)) return {Status::kRed, Problems(state)};
  return {Status::kGreen,
          Warned(state, absl::StrCat("ready to take over from ", state.config.peer_name))};
}

std::string WaitsFor(const State& state) {
  const std::string& peer = state.config.peer_name;
  const std::string bound = absl::StrCat(", at most ", absl::FormatDuration(kBootGate));
  if (!state.peer.connected)
    return absl::StrCat("waits for ", peer, " (", state.peer.problem, ")", bound);
  if (state.peer.Says(Role::kFault)) return absl::StrCat("lets ", peer, " go first", bound);
  if (!state.peer.Says(Role::kMaster))
    return absl::StrCat("waits for ", peer, " to say how it is", bound);
  return absl::StrCat("waits until it holds what ", peer, " holds", bound);
}

Colour OfFault(const State& state) {
  const std::string& peer = state.config.peer_name;
  if (IsIll(state)) return {Status::kRed, Problems(state)};
  if (state.vrrp == VrrpState::kDown) return {Status::kRed, "keepalived does not run"};
  if (state.boot_gate.closed)
    return {Status::kRed, absl::StrCat("has just started: ", WaitsFor(state))};
  if (state.yielding.active && state.yielding.hold > absl::ZeroDuration()) {
    return {Status::kRed, absl::StrCat("adverts of ", peer,
                                       " do not arrive although it is master; stands aside")};
  }
  if (state.yielding.active) return {Status::kRed, absl::StrCat("gives way to ", peer)};
  if (state.operation) return {Status::kRed, absl::StrCat("hands over to ", peer)};
  return {Status::kRed, "keepalived is in FAULT"};
}

// What a node whose time is over waits for.
std::string ComesBack(const State& state) {
  if (state.durable.freeze.active) return "its time is over; comes back when the freeze has ended";
  if (!state.peer.connected) {
    return absl::StrCat("its time is over; waits for ", state.config.peer_name, ", at most ",
                        absl::FormatDuration(kReturnUnheard));
  }
  const std::vector<std::string> missing = MissingHere(state);
  if (missing.empty()) return "its time is over; comes back";
  return absl::StrCat("its time is over; comes back once synchronised: ", Shortened(missing));
}

Colour OfMaintenance(const State& state) {
  const std::string out = MaintenanceText(state.durable);
  if (state.maintenance_time.over)
    return {Status::kOrange, absl::StrCat(out, "; ", ComesBack(state))};
  if (IsIll(state)) return {Status::kOrange, absl::StrCat(out, "; ", Problems(state))};
  return {Status::kOrange, absl::StrCat(out, "; does not take over")};
}

Colour ColourOf(const State& state, const Reasons& reasons) {
  switch (state.role) {
    case Role::kMaster:
      return OfMaster(state, reasons);
    case Role::kBackup:
      return OfBackup(state, reasons);
    case Role::kFault:
      return OfFault(state);
    case Role::kMaintenance:
      return OfMaintenance(state);
    case Role::kUnconfigured:
      return {Status::kGrey, "in no pair"};
    case Role::kUnknown:
      return {Status::kGrey, "starting: keepalived has not been heard yet"};
  }
  return {Status::kGrey, "unknown"};
}

NodeView LocalNodeAs(const State& state, const Reasons& reasons) {
  auto [status, message] = ColourOf(state, reasons);
  if (const Freeze& freeze = state.durable.freeze; freeze.active) {
    absl::StrAppend(&message, "; frozen", freeze.reason.empty() ? "" : ": ", freeze.reason);
  }
  // While it asks it has the VIPs: the peer announces again when it has them no longer.
  const Role role = state.question ? Role::kMaster : state.role;
  return {state.config.node_name, state.config.node_address, role, status, std::move(message)};
}

bool Same(const ConntrackState& a, const ConntrackState& b) {
  return a.synchronised == b.synchronised && a.problem == b.problem && a.differs == b.differs &&
         (a.missing == 0) == (b.missing == 0) && IsFull(a) == IsFull(b);
}

// The evidence of what is met moves with the counters; that of the rest is in not_ready.
bool Same(const std::vector<Precondition>& a, const std::vector<Precondition>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](const Precondition& x, const Precondition& y) {
        return x.name == y.name && x.node == y.node && x.met == y.met && x.warning == y.warning;
      });
}

bool Same(const std::vector<RootState>& a, const std::vector<RootState>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const RootState& x, const RootState& y) {
                      return x.path == y.path && x.local_digest == y.local_digest &&
                             x.remote_digest == y.remote_digest && x.problem == y.problem;
                    });
}

// Most of it stays from one step to the next, and to compare costs less than to copy.
template <typename T>
bool Update(T& to, const T& value) {
  if (to == value) return false;
  to = value;
  return true;
}

}  // namespace

NodeView LocalNode(const State& state) { return LocalNodeAs(state, NotReady(state)); }

NodeView RemoteNode(const State& state) {
  NodeView node;
  node.name = state.config.peer_name;
  node.address = state.config.peer_address;
  if (!state.peer.connected) {
    node.message = absl::StrCat("unreachable: ", state.peer.problem);
  } else if (!state.peer.told) {
    node.message = "connected; has not said yet how it is";
  } else {
    node.role = state.peer.told->role;
    node.status = state.peer.told->status;
    node.message =
        state.peer.told->message.empty() ? "says nothing of itself" : state.peer.told->message;
  }
  return node;
}

bool Describe(const State& state, const View& shown, NodeState& told) {
  const Durable& durable = state.durable;
  bool news = Update(told.term, durable.highest_term);
  news |= Update(told.own_term, durable.own_term);
  news |= Update(told.role, shown.local.role);
  news |= Update(told.status, shown.local.status);
  news |= Update(told.message, shown.local.message);
  news |= Update(told.priority, static_cast<uint8_t>(StandingOf(state)));
  news |= Update(told.not_ready, OwnReasons(state));
  news |= Update(told.facts, state.facts);
  news |= Update(told.maintenance_reason, durable.maintenance_reason);
  news |= Update(told.maintenance_until, durable.maintenance_until);
  news |= Update(told.checks, state.checks);
  news |= Update(told.freeze, durable.freeze);
  news |= !Same(told.conntrack, state.conntrack) || !Same(told.roots, state.roots);
  Update(told.conntrack, state.conntrack);
  Update(told.roots, state.roots);
  return news;
}

View Show(const State& state) {
  View view;
  view.readiness = Preconditions(state);
  view.not_ready = Unmet(view.readiness);
  view.local = LocalNodeAs(state, view.not_ready);
  view.remote = RemoteNode(state);
  view.term = state.durable.highest_term;
  view.own_term = state.durable.own_term;
  view.link.up = state.peer.connected;
  view.link.address = state.peer.address;
  view.link.version = state.peer.version;
  if (!state.peer.connected) view.link.problem = state.peer.problem;
  view.link.since = state.peer.since;
  view.heard = state.peer.heard;
  view.conntrack = state.conntrack;
  view.roots = state.roots;
  return view;
}

bool SameButCounters(const View& a, const View& b) {
  return a.local == b.local && a.remote == b.remote && a.term == b.term &&
         a.own_term == b.own_term && a.not_ready == b.not_ready && a.link == b.link &&
         Same(a.readiness, b.readiness) && Same(a.conntrack, b.conntrack) && Same(a.roots, b.roots);
}

}  // namespace zcluster::core
