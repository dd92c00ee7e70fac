// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/identity.h"

// Who this node is in a fleet: zcluster://FLEET/agent/PAIR/NODE. Pure functions.
namespace zcluster::controller_link {

struct FleetName {
  std::string fleet;
  std::string pair;  // as the fleet calls it
  std::string node;
  std::string Uri() const;
};

// INVALID_ARGUMENT for what is no such URI, or has names that ours cannot be (letters, digits, '-',
// '.'; at most 63).
absl::StatusOr<FleetName> ParseAgentUri(absl::string_view uri);

// The name of a controller of `fleet`, from its certificate's URI zcluster://FLEET/controller/NAME;
// UNAUTHENTICATED for all else.
absl::StatusOr<std::string> ControllerName(absl::string_view fleet, absl::string_view uri);

// What a fleet gave us: the certificate is for our key, signed by that CA, good now, and names this
// very node. The error is a sentence.
absl::StatusOr<FleetName> CheckIssued(const identity::Identity& issued, absl::string_view node);

// The same for one that renews `present`: for the same agent, by the same CA's key. A controller
// cannot move a node into another fleet.
absl::Status CheckRenewed(const identity::Identity& issued, const identity::Identity& present);

}  // namespace zcluster::controller_link
