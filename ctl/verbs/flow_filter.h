// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/flows.pb.h"

// Which connections a verb is about: the same options in each.
namespace zcluster::ctl {

// For the verb's row.
std::vector<Option> FlowFilterOptions();

// What was given. INVALID_ARGUMENT names the option and what it takes.
absl::StatusOr<v1::FlowFilter> FlowFilterOf(const Context& context);

}  // namespace zcluster::ctl
