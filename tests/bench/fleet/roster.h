// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/support/fleet_identity.h"

// The agents of a benchmark: who they are, in files, so that several measurements of growing fleets
// share them. One process at a time.
namespace zcluster::fleet_bench {

// The name of agent `number` (from 0): two follow each other in a pair.
std::string PairOf(size_t number);
std::string NodeOf(size_t number);

// Where to enrol.
struct Door {
  std::string socket;     // the controller's local one
  std::string enrolment;  // ADDRESS:PORT
};

// How it went.
struct Enrolled {
  size_t agents = 0;                      // that were not there before
  absl::Duration all;                     // from the first to the last of them
  std::vector<absl::Duration> one_agent;  // each: token, key, connection and answer
};

// Enrols until `directory` holds `count` agents (an even number), by the real protocol: tokens over
// the local socket, a CA for each pair, a connection for each agent. Some are under way at once.
// The first failure ends it.
absl::StatusOr<Enrolled> Complete(const std::string& directory, size_t count, const Door& door);

// The first `count` agents of the directory. NOT_FOUND names the file that is missing.
absl::StatusOr<std::vector<test::FleetIdentity>> Load(const std::string& directory, size_t count);

}  // namespace zcluster::fleet_bench
