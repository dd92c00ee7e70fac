// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/conntrack/filter.h"
#include "agent/conntrack/scope.h"
#include "zcluster/v1/flows.pb.h"

namespace zcluster::conntrack {

class Halt;
class Mailbox;

// This node, as one of two whose tables are compared.
struct Standing {
  std::string name = {};
  bool is_master = false;  // else it stands by
  Filter filter;
  LocalAddresses addresses;
};

// What those who look at the tables ask of the replication. Loop thread.
struct Pairing {
  using Done = std::function<void(const absl::Status&)>;

  // FAILED_PRECONDITION, with the reason: there are no two tables that should be equal right now.
  std::function<absl::StatusOr<Standing>()> standing;
  // `done` is called, on the loop, once the backup has acknowledged all that has changed until now;
  // or with the reason why that will not come. FAILED_PRECONDITION: this node is not the master.
  std::function<void(Done done)> settle;
  // The same once a new snapshot is in the backup's kernel.
  std::function<void(Done done)> resynchronise;
  // This node without a peer: what its flows are to it. INVALID_ARGUMENT: the link has no
  // addresses.
  std::function<absl::StatusOr<Scope>()> alone;
  // What replication does.
  std::function<v1::ReplicationStats()> stats;
  // A comparison ended: so many flows differed.
  std::function<void(uint64_t differing)> verified;
};

// Has `ask` called on the loop, and waits for what it says. CANCELLED once `halt` is set. For a
// thread of its own.
absl::Status Await(Mailbox& mail, Halt& halt, const std::function<void(Pairing::Done)>& ask);

}  // namespace zcluster::conntrack
