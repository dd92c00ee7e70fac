// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/coverage.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/core/names.h"

namespace zcluster::sim {
namespace {

// What any long run must bring about. Whoever adds a decision to the brain adds it here.
constexpr std::array kExpected = {
    "agent died",
    "agent is killed while flushing",
    "agent is killed while handing_over",
    "agent is killed while its peer is flushing",
    "agent is killed while its peer is handing_over",
    "agent is killed while returning",
    "agent started",
    "announced",
    "boot gate opened, goes before the peer, which stands aside too",
    "boot gate opened, the peer has said how it is",
    "boot gate opened, waited long enough",
    "check_fails",
    "check_passes",
    "commands released",
    "configured",
    "configured, as BACKUP",
    "configured, as MAINTENANCE",
    "configured, as MASTER",
    "configured, as UNKNOWN",
    "configured, while an operation is under way",
    "demoted",
    "failback",
    "fault boot",
    "fault lifted",
    "fault maintenance",
    "fault switchover",
    "fault yields",
    "flows_merged",
    "flows_not_merged",
    "flows_not_synchronised",
    "flows_synchronised",
    "freeze: OK",
    "frozen",
    "gives_way",
    "maintenance enter: ABORTED",
    "maintenance enter: DEADLINE_EXCEEDED",
    "maintenance enter: FAILED_PRECONDITION",
    "maintenance enter: OK",
    "maintenance start: FAILED_PRECONDITION",
    "maintenance start: OK",
    "maintenance_amended",
    "maintenance_end_moved",
    "maintenance_over",
    "merges_flows",
    "move_held",
    "moves_by_health",
    "operation_finished",
    "operation_refused",
    "operation_started",
    "operation_step",
    "peer_connected",
    "peer_disconnected",
    "peer_stands_by",
    "problem",
    "problem_ended",
    "promoted, adverts_stopped",
    "promoted, peer_knows_a_later_term",
    "promoted, peer_stood_aside",
    "promoted, peer_unreachable",
    "resumed, found_as_master",
    "role BACKUP -> MAINTENANCE",
    "role BACKUP -> MASTER",
    "role MAINTENANCE -> BACKUP",
    "role MASTER -> BACKUP",
    "role MASTER -> MAINTENANCE",
    "role UNKNOWN -> BACKUP",
    "role UNKNOWN -> MAINTENANCE",
    "role UNKNOWN -> MASTER",
    "role_changed",
    "standing 252",
    "standing 253",
    "standing 254",
    "switchover: ABORTED",
    "switchover: DEADLINE_EXCEEDED",
    "switchover: FAILED_PRECONDITION",
    "switchover: OK",
    "takeover_holds",
    "takeover_refuted",
    "unfreeze: OK",
    "unfrozen",
    "vrrp BACKUP -> DOWN",
    "vrrp BACKUP -> FAULT",
    "vrrp BACKUP -> MASTER",
    "vrrp DOWN -> BACKUP",
    "vrrp DOWN -> FAULT",
    "vrrp FAULT -> BACKUP",
    "vrrp FAULT -> DOWN",
    "vrrp MASTER -> BACKUP",
    "vrrp MASTER -> DOWN",
    "vrrp MASTER -> FAULT",
    "vrrp_changed",
    "yielded, at once",
    "yielded, held",
};

struct Unseen {
  absl::string_view what;
  absl::string_view reason;
};

// What the brain or keepalived could be thought to do, and no seed shows; should one, this is
// wrong.
constexpr std::array kNever = {
    Unseen{"flows_differ", "the simulated standby holds what it was sent"},
    Unseen{"flows_equal_again", "as above"},
    Unseen{"flows_have_no_room", "nor is its kernel's table ever full"},
    Unseen{"flows_have_room_again", "as above"},
    Unseen{"network_seen", "evidence for people: the brain decides nothing by it"},
    Unseen{"vrrp DOWN -> MASTER", "keepalived begins as BACKUP or in FAULT"},
    Unseen{"vrrp FAULT -> MASTER", "out of FAULT it is BACKUP first"},
    Unseen{"maintenance start: ABORTED", "none of its phases is given up but by its deadline"},
    Unseen{"freeze: FAILED_PRECONDITION", "a freeze is never refused"},
    Unseen{"unfreeze: FAILED_PRECONDITION", "nor is its end"},
    Unseen{"role MASTER -> UNKNOWN", "a node that does not know its role takes no part anew"},
    Unseen{"role BACKUP -> UNKNOWN", "as above"},
    Unseen{"role MAINTENANCE -> UNKNOWN", "as above"},
    Unseen{"role BACKUP -> FAULT", "in FAULT replication goes on as a BACKUP's or MASTER's"},
    Unseen{"role MASTER -> FAULT", "as above"},
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
  for (const Unseen& never : kNever) {
    if (count_.find(std::string(never.what)) != count_.end()) {
      missing.push_back(
          absl::StrCat("(no longer: ", never.what, " was seen, although ", never.reason, ")"));
    }
  }
  return missing;
}

}  // namespace zcluster::sim
