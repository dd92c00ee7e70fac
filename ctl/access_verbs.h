// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

// The rows of the table that say who may reach what from where; see VerbTable().
std::vector<Verb> AccessVerbs();

}  // namespace zcluster::ctl
