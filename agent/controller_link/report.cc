// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/report.h"

#include <utility>

#include "agent/controller_link/limits.h"

namespace zcluster::controller_link {
namespace {

// Of a message, for what is around the report.
constexpr size_t kFrame = 64;

}  // namespace

std::string Essence(v1::GetStatusResponse status) {
  for (v1::Node& node : *status.mutable_nodes()) node.clear_age();
  status.mutable_link()->clear_since();
  v1::ConntrackState& conntrack = *status.mutable_conntrack();
  conntrack.clear_lag();
  conntrack.clear_flows();
  conntrack.clear_changes();
  conntrack.clear_snapshots();
  conntrack.clear_overruns();
  conntrack.clear_refused();
  conntrack.clear_missing();
  conntrack.clear_table_entries();
  conntrack.clear_digest();
  // The evidence of what is met moves with the counters.
  for (v1::Precondition& precondition : *status.mutable_readiness()) {
    if (precondition.met()) precondition.clear_evidence();
  }
  status.clear_controller();
  return status.SerializeAsString();
}

namespace {

// What is met and needs no look, nobody asks a controller about.
void KeepWhatMatters(google::protobuf::RepeatedPtrField<v1::Precondition>& readiness) {
  int kept = 0;
  for (int i = 0; i < readiness.size(); ++i) {
    if (!readiness[i].met() || readiness[i].warning()) readiness.SwapElements(kept++, i);
  }
  readiness.DeleteSubrange(kept, readiness.size() - kept);
}

}  // namespace

v1::AgentReport MakeReport(v1::GetStatusResponse status, const std::string& pair,
                           const std::string& in_fleet) {
  v1::AgentReport report;
  status.clear_controller();
  KeepWhatMatters(*status.mutable_readiness());
  *report.mutable_status() = std::move(status);
  if (pair != in_fleet) report.set_pair(pair);
  v1::GetStatusResponse& told = *report.mutable_status();
  while (report.ByteSizeLong() > kMaxMessageBytes - kFrame) {
    if (told.readiness_size() > 0) {
      told.clear_readiness();
    } else if (told.roots_size() > 0) {
      told.mutable_roots()->DeleteSubrange(told.roots_size() / 2,
                                           told.roots_size() - told.roots_size() / 2);
    } else if (told.not_ready_size() > 1) {
      told.mutable_not_ready()->DeleteSubrange(told.not_ready_size() / 2,
                                               told.not_ready_size() - told.not_ready_size() / 2);
    } else {
      const std::string name = told.pair();
      told.Clear();  // no honest status comes here
      told.set_pair(name);
    }
  }
  return report;
}

}  // namespace zcluster::controller_link
