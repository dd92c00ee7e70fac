// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "zcluster/v1/fleet.pb.h"
#include "zcluster/v1/fleet_link.pb.h"

// How a pair looks, from what its agents say. Pure.
namespace zcluster::controller {

// What one agent says of one node.
struct Word {
  std::string node;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  v1::Status status = v1::STATUS_GREY;
  std::string message;
  std::string ip;
};

// What is known of one agent. A report is kept as few plain values, and whole as it was sent:
// unpacked it would be ten times as large, and it is shown rarely.
struct AgentView {
  bool connected = false;
  bool reported = false;  // since it connected: only then its word counts
  std::string away;       // why it is not connected; empty: it never was since we started
  absl::Time heard = absl::InfinitePast();  // the loop's clock
  absl::Time reported_at = absl::InfinitePast();
  std::string version;
  v1::Right allow = v1::RIGHT_UNSPECIFIED;

  Word own;   // of its last report, as is all that follows
  Word peer;  // `node` empty: it names none
  uint64_t term = 0;
  bool ready = false;
  uint64_t flows = 0;
  uint64_t generation = 0;
  std::string report;  // GetStatusResponse, serialised; empty: none yet

  bool Speaks() const { return connected && reported; }
  // Takes over what a checked report says.
  void Take(const v1::AgentReport& said);
};

// The agents of a pair that are enrolled, by the names of their nodes.
using AgentViews = std::map<std::string, AgentView>;

// A pair without ages. Its status is the worst of its nodes (RED, GREY, ORANGE, GREEN), but RED if
// two are master, and GREY if no agent is connected. A node whose agent is away is never GREEN: it
// is what its peer says of it if that is RED or ORANGE, else GREY. A node that is not enrolled is
// what its peer says of it.
v1::PairSummary Summarise(const std::string& name, const std::map<std::string, std::string>& labels,
                          const AgentViews& agents);

// Whether they differ in nothing but the number of flows.
bool SameButCounters(const v1::PairSummary& a, const v1::PairSummary& b);

// "MASTER"; for people.
std::string RoleName(v1::Role role);

}  // namespace zcluster::controller
