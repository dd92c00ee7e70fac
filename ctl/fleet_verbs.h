// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

// The rows of the one table (verbs.h) that ask a controller.
std::vector<Verb> FleetVerbs();

}  // namespace zcluster::ctl
