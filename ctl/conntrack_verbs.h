// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

// The rows of the table that are about connections; see VerbTable().
std::vector<Verb> ConntrackVerbs();

}  // namespace zcluster::ctl
