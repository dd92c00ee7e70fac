// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/core/state.h"

// What does a decision rest on? Told with it, so that it can be explained when the state that it
// was made in is long gone. Pure.
namespace zcluster::core {

using Fields = std::vector<std::pair<std::string, std::string>>;

// Why this node was promoted, as far as it can tell: "adverts_stopped", "peer_stood_aside",
// "peer_unreachable".
absl::string_view CauseOfPromotion(const State& state);

// Why this node, which is not master, has the role that it has.
std::string CauseOfRole(const State& state);

// At a promotion: who was master ("from"), what was known of it ("peer", "peer_heard"), and what a
// client notices: flows that go on ("flows_held"), connections that ended on the old master
// ("ended_on_peer"), what this node lacks ("missing"). What is not known is left out.
Fields EvidenceOfPromotion(const State& state, absl::Time now);

}  // namespace zcluster::core
