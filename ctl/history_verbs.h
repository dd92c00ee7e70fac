// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

// The rows of the table that tell what was; see VerbTable().
std::vector<Verb> HistoryVerbs();

}  // namespace zcluster::ctl
