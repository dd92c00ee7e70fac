// SPDX-License-Identifier: Apache-2.0
#include "agent/core/health.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace zcluster::core {
namespace {

const std::vector<HealthCheck>& ChecksOfPeer(const State& state) {
  static const std::vector<HealthCheck> kNone;
  return state.peer.connected && state.peer.told ? state.peer.told->checks : kNone;
}

int64_t CountFailing(const std::vector<HealthCheck>& checks) {
  return std::count_if(checks.begin(), checks.end(),
                       [](const HealthCheck& check) { return !check.passes; });
}

// Those that fail and of which `others` have a result.
int64_t CountFailingOf(const std::vector<HealthCheck>& checks,
                       const std::vector<HealthCheck>& others) {
  return std::count_if(checks.begin(), checks.end(), [&others](const HealthCheck& check) {
    return !check.passes &&
           std::any_of(others.begin(), others.end(),
                       [&check](const HealthCheck& other) { return other.name == check.name; });
  });
}

bool Fails(const std::vector<HealthCheck>& checks, const std::string& name) {
  return std::any_of(checks.begin(), checks.end(), [&name](const HealthCheck& check) {
    return check.name == name && !check.passes;
  });
}

// Until the peer would have seen what this node sees.
absl::Duration Settles(const std::vector<HealthCheck>& checks) {
  absl::Duration longest = absl::ZeroDuration();
  for (const HealthCheck& check : checks) {
    if (!check.passes) longest = std::max(longest, check.settles);
  }
  return longest;
}

void AddChecks(const std::string& node, const std::vector<HealthCheck>& checks, bool stands_by,
               const std::vector<HealthCheck>& others, std::vector<Precondition>& list) {
  size_t passing = 0;
  for (const HealthCheck& check : checks) {
    if (check.passes) {
      ++passing;
      continue;
    }
    const bool met = !stands_by || Fails(others, check.name);
    list.push_back(
        {check.name, node, met, met, absl::StrCat(check.name, " on ", node, ": ", check.evidence)});
  }
  if (passing == 0) return;
  list.push_back(
      {"health", node, true, false,
       absl::StrCat(passing, passing == 1 ? " check passes on " : " checks pass on ", node)});
}

}  // namespace

std::vector<std::string> Failing(const std::vector<HealthCheck>& checks) {
  std::vector<std::string> failing;
  for (const HealthCheck& check : checks) {
    if (!check.passes) failing.push_back(absl::StrCat(check.name, ": ", check.evidence));
  }
  return failing;
}

bool IsWorse(const State& state) {
  const std::vector<HealthCheck>& peers = ChecksOfPeer(state);
  return CountFailingOf(state.checks, peers) > CountFailing(peers);
}

bool PeerIsWorse(const State& state) {
  return CountFailing(ChecksOfPeer(state)) > CountFailing(state.checks);
}

bool MovesAreHeld(const State& state, absl::Time now) {
  const std::vector<absl::Time>& made = state.moves.made;
  return made.size() >= kMostMoves && now < made[made.size() - kMostMoves] + kFlapWindow;
}

Better JudgeHealth(const State& state, absl::Time now) {
  if (state.role != Role::kMaster || !IsWorse(state)) return Better::kStay;
  if (state.operation || !state.peer.Says(Role::kBackup)) return Better::kStay;
  if (state.durable.freeze.active) return Better::kFrozen;
  if (MovesAreHeld(state, now)) return Better::kHeld;
  const HealthMoves& moves = state.moves;
  const bool settled = moves.worse_since && now >= *moves.worse_since + Settles(state.checks);
  return settled && now >= moves.none_before ? Better::kGiveWay : Better::kWait;
}

std::vector<Precondition> HealthPreconditions(const State& state) {
  std::vector<Precondition> list;
  const std::vector<HealthCheck>& peers = ChecksOfPeer(state);
  const bool peer_serves = state.peer.Says(Role::kMaster);
  AddChecks(state.config.node_name, state.checks, peer_serves, peers, list);
  AddChecks(state.config.peer_name, peers, !peer_serves, state.checks, list);
  return list;
}

bool Prevails(const Freeze& told, const Freeze& own) {
  if (told.version != own.version) return told.version > own.version;
  return told.active && !own.active;
}

}  // namespace zcluster::core
