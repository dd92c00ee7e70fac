// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/coverage.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/core/names.h"

namespace zcluster::sim {
namespace {

// What any long run must bring about. Whoever adds a decision to the brain adds it here.
constexpr std::array kExpected = {
    "promoted, adverts_stopped",
    "promoted, peer_knows_a_later_term",
    "promoted, peer_stood_aside",
    "promoted, peer_unreachable",
    "resumed, found_as_master",
    "role MASTER -> BACKUP",
    "role MASTER -> MAINTENANCE",
    "role BACKUP -> MASTER",
    "role BACKUP -> MAINTENANCE",
    "role MAINTENANCE -> BACKUP",
    "takeover_holds",
    "takeover_refuted",
    "yielded, at once",
    "yielded, held",
    "failback",
    "check_fails",
    "check_passes",
    "moves_by_health",
    "move_held",
    "frozen",
    "unfrozen",
    "freeze: OK",
    "unfreeze: OK",
    "boot gate opened, waited long enough",
    "boot gate opened, the peer has said how it is",
    "boot gate opened, goes before the peer, which stands aside too",
    "maintenance_over",
    "maintenance_end_moved",
    "commands released",
    "configured, as MASTER",
    "configured, as BACKUP",
    "configured, while an operation is under way",
    "standing 252",
    "standing 253",
    "standing 254",
    "agent is killed while flushing",
    "agent is killed while returning",
    "agent is killed while handing_over",
    "agent is killed while its peer is flushing",
    "agent is killed while its peer is handing_over",
    "fault boot",
    "fault maintenance",
    "fault switchover",
    "fault yields",
    "fault lifted",
    "switchover: OK",
    "switchover: FAILED_PRECONDITION",
    "switchover: ABORTED",
    "switchover: DEADLINE_EXCEEDED",
    "maintenance enter: OK",
    "maintenance enter: FAILED_PRECONDITION",
    "maintenance enter: ABORTED",
    "maintenance enter: DEADLINE_EXCEEDED",
    "maintenance start: OK",
    "maintenance start: FAILED_PRECONDITION",
};

}  // namespace

void Coverage::Begin() {
  asked_.clear();
  vrrp_ = {};
  role_ = {};
}

void Coverage::OnStarted(int node) {
  ++count_["agent started"];
  role_[static_cast<size_t>(node)] = core::Role::kUnknown;
  std::erase_if(asked_, [&](const auto& asked) { return asked.first.first == node; });
}

void Coverage::CountConfigured(int node) {
  ++count_[absl::StrCat("configured, as ", core::Name(role_[static_cast<size_t>(node)]))];
  const bool busy = std::any_of(asked_.begin(), asked_.end(),
                                [&](const auto& asked) { return asked.first.first == node; });
  if (busy) ++count_["configured, while an operation is under way"];
}

void Coverage::OnHeard(int node, const core::Event& event) {
  ++steps_;
  if (std::holds_alternative<core::Configured>(event)) CountConfigured(node);
  if (const auto* asked = std::get_if<core::OperationAsked>(&event)) {
    asked_[{node, asked->operation.value}] = asked->kind;
  }
}

void Coverage::OnPerformed(int node, const core::Action& action) {
  if (const auto* decision = std::get_if<core::LogDecision>(&action)) {
    std::string what = decision->event;
    if (what == "promoted" || what == "resumed")
      absl::StrAppend(&what, ", ", decision->fields[1].second);
    if (what == "boot_gate_opened") {
      what = absl::StrCat("boot gate opened, ", decision->fields[0].second);
    }
    if (what == "yielded")
      absl::StrAppend(&what, decision->fields[2].second == "0" ? ", at once" : ", held");
    ++count_[what];
  } else if (const auto* finished = std::get_if<core::Finished>(&action)) {
    const auto asked = asked_.find({node, finished->operation.value});
    const core::OperationKind kind = asked->second;
    asked_.erase(asked);
    ++count_[absl::StrCat(core::Name(kind), ": ",
                          absl::StatusCodeToString(finished->status.code()))];
  } else if (const auto* assume = std::get_if<core::AssumeRole>(&action)) {
    core::Role& role = role_[static_cast<size_t>(node)];
    if (role != assume->role)
      ++count_[absl::StrCat("role ", core::Name(role), " -> ", core::Name(assume->role))];
    role = assume->role;
  } else if (const auto* standing = std::get_if<core::SetStanding>(&action)) {
    ++count_[absl::StrCat("standing ", static_cast<int>(standing->standing))];
  } else if (const auto* fault = std::get_if<core::SetFault>(&action)) {
    const std::string reason = fault->reason.substr(0, fault->reason.find(' '));
    ++count_[reason.empty() ? "fault lifted" : absl::StrCat("fault ", reason)];
  } else if (std::holds_alternative<core::ReleaseCommands>(action)) {
    ++count_["commands released"];
  } else if (std::holds_alternative<core::Announce>(action)) {
    ++count_["announced"];
  }
}

void Coverage::OnFault(absl::string_view what) {
  const size_t at = what.find(" is killed while ");
  if (at != absl::string_view::npos) ++count_[absl::StrCat("agent", what.substr(at))];
}

void Coverage::OnVrrp(int node, core::VrrpState state) {
  core::VrrpState& last = vrrp_[static_cast<size_t>(node)];
  if (last != state) ++count_[absl::StrCat("vrrp ", core::Name(last), " -> ", core::Name(state))];
  last = state;
}

std::vector<std::string> Coverage::Missing() const {
  std::vector<std::string> missing;
  for (const char* expected : kExpected) {
    if (count_.find(expected) == count_.end()) missing.emplace_back(expected);
  }
  return missing;
}

}  // namespace zcluster::sim
