// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "agent/core/types.h"
#include "common/console/metrics.h"

namespace zcluster::console {

// What a member is called and told to do.
struct Member {
  std::string pair;
  std::string node;
  std::string address;
  std::string peer;
  bool replicate_conntrack = true;
};

// Of the replication of connections; since the agent started.
struct ConntrackTotals {
  uint64_t changes = 0;
  uint64_t snapshots = 0;
  uint64_t overruns = 0;
  uint64_t refused = 0;
  uint64_t verifications = 0;
  uint64_t differing = 0;
  uint64_t repairs = 0;
};

// All that the console knows at one moment. Plain value.
struct Snapshot {
  std::string node;
  absl::optional<Member> member;  // none: in no pair
  core::View view;                // as long as there is a member
  ConntrackTotals conntrack;
  uint64_t promotions = 0;
  uint64_t demotions = 0;
};

// As metrics. What a node without a pair, or without replication, does not have is left out rather
// than 0: an alert on 0 would lie.
void Measure(const Snapshot& snapshot, http_console::Metrics& metrics);

// What is wrong enough for /healthz: a node that is RED. One that an operator took out is not.
std::vector<std::string> Problems(const Snapshot& snapshot);

}  // namespace zcluster::console
