// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/rules.h"

namespace zcluster::conntrack {

// Which flows concern the peer. Immutable; safe from any thread.
class Filter {
 public:
  // `link`: the addresses over which the two agents talk; flows between two of them are never
  // replicated. `rules`: what else the pair's configuration says. INVALID_ARGUMENT names the
  // address that is none.
  static absl::StatusOr<Filter> Make(const std::vector<std::string>& link, FlowRules rules = {});

  // Neither loopback, nor the cluster's own, nor to a multicast group that no router forwards to
  // (VRRP's and the routing protocols' own).
  bool Replicates(const FlowKey& key) const;
  const Rules& rules() const { return rules_; }

 private:
  absl::flat_hash_set<Address> link_;
  Rules rules_;
};

// The addresses of a node. What ends on them is the node's own (its SSH, its DNS): a backup neither
// takes such a flow from its master nor sweeps it away.
// Immutable; safe from any thread.
class LocalAddresses {
 public:
  LocalAddresses() = default;
  explicit LocalAddresses(const std::vector<Address>& addresses)
      : addresses_(addresses.begin(), addresses.end()) {}
  // Those that the thread's network namespace has right now.
  static LocalAddresses Read();

  std::vector<Address> List() const { return {addresses_.begin(), addresses_.end()}; }

  // One of the flow's real ends, NAT considered, is here. A flow through a local VIP to a backend
  // does not end here.
  bool EndsHere(const Flow& flow) const;

 private:
  absl::flat_hash_set<Address> addresses_;
};

}  // namespace zcluster::conntrack
