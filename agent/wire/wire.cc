// SPDX-License-Identifier: Apache-2.0
#include "agent/wire/wire.h"

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::wire {
namespace {

constexpr int kMaxReasons = 64;
constexpr int kMaxRoots = 64;
constexpr int kMaxFacts = 128;
constexpr size_t kMaxFact = 256;
constexpr int kMaxChecks = 32;
constexpr size_t kMaxText = 1024;
constexpr size_t kMaxPath = 4096;
// A term near the top would leave no next one.
constexpr uint64_t kMaxTerm = uint64_t{1} << 62;

absl::Status CheckText(absl::string_view field, absl::string_view text, size_t most = kMaxText) {
  if (text.size() <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", text.size(), " bytes; at most ", most, " are allowed"));
}

absl::Status CheckCount(absl::string_view field, int count, int most) {
  if (count <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", count, " entries; at most ", most, " are allowed"));
}

absl::Status CheckTerm(absl::string_view field, uint64_t term) {
  if (term <= kMaxTerm) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", term, " is above ", kMaxTerm));
}

// Our own words within the bound that the peer checks, cut between two UTF-8 characters.
std::string Clip(const std::string& text, size_t most = kMaxText) {
  if (text.size() <= most) return text;
  size_t end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

absl::StatusOr<core::ConntrackState> FromProto(const v1::ConntrackState& state) {
  ZC_RETURN_IF_ERROR(CheckText("conntrack.problem", state.problem()));
  core::ConntrackState result;
  result.synchronised = state.synchronised();
  result.lag = wire::FromProto(state.lag());
  if (result.lag < absl::ZeroDuration())
    return absl::InvalidArgumentError("conntrack.lag: negative");
  result.flows = state.flows();
  result.changes = state.changes();
  result.snapshots = state.snapshots();
  result.overruns = state.overruns();
  result.refused = state.refused();
  result.problem = state.problem();
  result.digest = state.digest();
  result.differs = state.differs();
  result.missing = state.missing();
  result.table_entries = state.table_entries();
  result.table_maximum = state.table_maximum();
  return result;
}

absl::StatusOr<core::Freeze> FromProto(const v1::Freeze& freeze) {
  ZC_RETURN_IF_ERROR(CheckText("freeze.reason", freeze.reason(), core::kMaxReason));
  ZC_RETURN_IF_ERROR(CheckTerm("freeze.version", freeze.version()));
  return core::Freeze{freeze.version(), freeze.active(), freeze.reason()};
}

absl::StatusOr<std::vector<core::HealthCheck>> ChecksOf(const v1::NodeState& state) {
  ZC_RETURN_IF_ERROR(CheckCount("checks", state.checks_size(), kMaxChecks));
  std::vector<core::HealthCheck> checks;
  for (const v1::HealthCheck& check : state.checks()) {
    ZC_RETURN_IF_ERROR(CheckText("checks.name", check.name(), kMaxFact));
    ZC_RETURN_IF_ERROR(CheckText("checks.evidence", check.evidence()));
    checks.push_back({check.name(), check.passes(), check.evidence()});
  }
  return checks;
}

absl::StatusOr<core::RootState> FromProto(const v1::RootState& state) {
  if (state.path().size() > kMaxPath) return absl::InvalidArgumentError("roots.path: too long");
  ZC_RETURN_IF_ERROR(CheckText("roots.local_digest", state.local_digest()));
  ZC_RETURN_IF_ERROR(CheckText("roots.remote_digest", state.remote_digest()));
  ZC_RETURN_IF_ERROR(CheckText("roots.problem", state.problem()));
  core::RootState result;
  result.path = state.path();
  result.local_digest = state.local_digest();
  result.remote_digest = state.remote_digest();
  result.entries = state.entries();
  result.problem = state.problem();
  return result;
}

}  // namespace

v1::Role ToProto(core::Role role) {
  switch (role) {
    case core::Role::kUnknown:
      return v1::ROLE_UNSPECIFIED;
    case core::Role::kMaster:
      return v1::ROLE_MASTER;
    case core::Role::kBackup:
      return v1::ROLE_BACKUP;
    case core::Role::kMaintenance:
      return v1::ROLE_MAINTENANCE;
    case core::Role::kFault:
      return v1::ROLE_FAULT;
    case core::Role::kUnconfigured:
      return v1::ROLE_UNCONFIGURED;
  }
  return v1::ROLE_UNSPECIFIED;
}

core::Role FromProto(v1::Role role) {
  switch (role) {
    case v1::ROLE_MASTER:
      return core::Role::kMaster;
    case v1::ROLE_BACKUP:
      return core::Role::kBackup;
    case v1::ROLE_MAINTENANCE:
      return core::Role::kMaintenance;
    case v1::ROLE_FAULT:
      return core::Role::kFault;
    case v1::ROLE_UNCONFIGURED:
      return core::Role::kUnconfigured;
    default:
      return core::Role::kUnknown;
  }
}

v1::Status ToProto(core::Status status) {
  switch (status) {
    case core::Status::kGreen:
      return v1::STATUS_GREEN;
    case core::Status::kRed:
      return v1::STATUS_RED;
    case core::Status::kGrey:
      return v1::STATUS_GREY;
    case core::Status::kOrange:
      return v1::STATUS_ORANGE;
  }
  return v1::STATUS_UNSPECIFIED;
}

core::Status FromProto(v1::Status status) {
  switch (status) {
    case v1::STATUS_GREEN:
      return core::Status::kGreen;
    case v1::STATUS_RED:
      return core::Status::kRed;
    case v1::STATUS_ORANGE:
      return core::Status::kOrange;
    default:
      return core::Status::kGrey;
  }
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration result;
  absl::Duration rest;
  result.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  result.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return result;
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp result;
  const int64_t seconds = absl::ToUnixSeconds(time);
  result.set_seconds(seconds);
  result.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return result;
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

v1::ConntrackState ToProto(const core::ConntrackState& state) {
  v1::ConntrackState result;
  result.set_synchronised(state.synchronised);
  if (state.synchronised) *result.mutable_lag() = ToProto(state.lag);
  result.set_flows(state.flows);
  result.set_changes(state.changes);
  result.set_snapshots(state.snapshots);
  result.set_overruns(state.overruns);
  result.set_refused(state.refused);
  result.set_problem(Clip(state.problem));
  result.set_digest(state.digest);
  result.set_differs(state.differs);
  result.set_missing(state.missing);
  result.set_table_entries(state.table_entries);
  result.set_table_maximum(state.table_maximum);
  return result;
}

v1::RootState ToProto(const core::RootState& state) {
  v1::RootState result;
  result.set_path(state.path);
  result.set_local_digest(state.local_digest);
  result.set_remote_digest(state.remote_digest);
  result.set_entries(state.entries);
  result.set_problem(Clip(state.problem));
  return result;
}

v1::NodeState ToProto(const core::NodeState& state) {
  v1::NodeState result;
  result.set_term(state.term.value);
  result.set_own_term(state.own_term.value);
  result.set_role(ToProto(state.role));
  result.set_status(ToProto(state.status));
  result.set_message(Clip(state.message));
  result.set_priority(state.priority);
  for (const std::string& reason : state.not_ready) {
    if (result.not_ready_size() == kMaxReasons) break;
    result.add_not_ready(Clip(reason));
  }
  *result.mutable_conntrack() = ToProto(state.conntrack);
  for (const core::RootState& root : state.roots) *result.add_roots() = ToProto(root);
  for (const core::Fact& fact : state.facts) {
    if (result.facts_size() == kMaxFacts) break;
    v1::Fact& told = *result.add_facts();
    told.set_name(Clip(fact.name, kMaxFact));
    told.set_value(Clip(fact.value, kMaxFact));
  }
  if (state.wall > absl::InfinitePast()) *result.mutable_wall() = ToProto(state.wall);
  if (state.role == core::Role::kMaintenance) {
    v1::Maintenance& maintenance = *result.mutable_maintenance();
    maintenance.set_reason(state.maintenance_reason);
    if (state.maintenance_until != absl::InfiniteFuture()) {
      *maintenance.mutable_until() = ToProto(state.maintenance_until);
    }
  }
  for (const core::HealthCheck& check : state.checks) {
    if (result.checks_size() == kMaxChecks) break;
    v1::HealthCheck& told = *result.add_checks();
    told.set_name(Clip(check.name, kMaxFact));
    told.set_passes(check.passes);
    told.set_evidence(Clip(check.evidence));
  }
  if (state.freeze != core::Freeze()) {
    v1::Freeze& freeze = *result.mutable_freeze();
    freeze.set_version(state.freeze.version);
    freeze.set_active(state.freeze.active);
    freeze.set_reason(state.freeze.reason);
  }
  return result;
}

absl::StatusOr<core::NodeState> FromProto(const v1::NodeState& state) {
  ZC_RETURN_IF_ERROR(CheckText("message", state.message()));
  ZC_RETURN_IF_ERROR(CheckCount("not_ready", state.not_ready_size(), kMaxReasons));
  ZC_RETURN_IF_ERROR(CheckCount("roots", state.roots_size(), kMaxRoots));
  ZC_RETURN_IF_ERROR(CheckTerm("term", state.term()));
  ZC_RETURN_IF_ERROR(CheckTerm("own_term", state.own_term()));
  if (state.priority() > 254) return absl::InvalidArgumentError("priority: above 254");
  core::NodeState result;
  result.term.value = state.term();
  result.own_term.value = state.own_term();
  result.role = FromProto(state.role());
  result.status = FromProto(state.status());
  result.message = state.message();
  result.priority = static_cast<uint8_t>(state.priority());
  for (const std::string& reason : state.not_ready()) {
    ZC_RETURN_IF_ERROR(CheckText("not_ready", reason));
    result.not_ready.push_back(reason);
  }
  ZC_ASSIGN_OR_RETURN(result.conntrack, FromProto(state.conntrack()));
  for (const v1::RootState& root : state.roots()) {
    ZC_ASSIGN_OR_RETURN(core::RootState checked, FromProto(root));
    result.roots.push_back(std::move(checked));
  }
  ZC_RETURN_IF_ERROR(CheckCount("facts", state.facts_size(), kMaxFacts));
  for (const v1::Fact& fact : state.facts()) {
    ZC_RETURN_IF_ERROR(CheckText("facts.name", fact.name(), kMaxFact));
    ZC_RETURN_IF_ERROR(CheckText("facts.value", fact.value(), kMaxFact));
    result.facts.push_back({fact.name(), fact.value()});
  }
  if (state.has_wall()) result.wall = FromProto(state.wall());
  const v1::Maintenance& maintenance = state.maintenance();
  if (maintenance.reason().size() > core::kMaxReason) {
    return absl::InvalidArgumentError(
        absl::StrCat("maintenance.reason: ", maintenance.reason().size(), " bytes; at most ",
                     core::kMaxReason, " are allowed"));
  }
  result.maintenance_reason = maintenance.reason();
  if (maintenance.has_until()) result.maintenance_until = FromProto(maintenance.until());
  ZC_ASSIGN_OR_RETURN(result.checks, ChecksOf(state));
  ZC_ASSIGN_OR_RETURN(result.freeze, FromProto(state.freeze()));
  return result;
}

v1::Answer ToProto(uint64_t nonce, const core::Testimony& testimony) {
  v1::Answer answer;
  answer.set_nonce(nonce);
  answer.set_master(testimony.master);
  answer.set_path_alive(testimony.path_alive);
  answer.set_evidence(Clip(testimony.evidence));
  return answer;
}

absl::StatusOr<core::PeerAnswered> FromProto(const v1::Answer& answer) {
  ZC_RETURN_IF_ERROR(CheckText("answer.evidence", answer.evidence()));
  return core::PeerAnswered{answer.nonce(),
                            {answer.master(), answer.path_alive(), answer.evidence()}};
}

v1::Node ToProto(const core::NodeView& node, bool local) {
  v1::Node result;
  result.set_local(local);
  result.set_role(ToProto(node.role));
  result.set_ip(node.address);
  result.set_hostname(node.name);
  result.set_status(ToProto(node.status));
  result.set_message(node.message);
  return result;
}

v1::Precondition ToProto(const core::Precondition& precondition) {
  v1::Precondition result;
  result.set_name(precondition.name);
  result.set_node(precondition.node);
  result.set_met(precondition.met);
  result.set_warning(precondition.warning);
  result.set_evidence(Clip(precondition.evidence));
  return result;
}

}  // namespace zcluster::wire
