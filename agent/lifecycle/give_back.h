// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/lifecycle/node.h"
#include "agent/lifecycle/paths.h"

namespace zcluster::lifecycle {

// Makes a node bare again: ends the member that runs, or that the files say ran, then takes its
// files back, then the journal. What was done is not done again: after an error, or a crash, it is
// called once more. An error names what is in the way. `node` outlives the call.
void GiveBackMember(Node& node, const Paths& paths, Node::Done done);

}  // namespace zcluster::lifecycle
