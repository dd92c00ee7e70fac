// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "ctl/terminal/prompt.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

// Shows the addresses of the node that is asked, those that a pair can be made on and the others
// with the reason why not, and asks for one. The only one that can be used is the default, and is
// taken without a question with --yes. Without its prefix length.
absl::StatusOr<std::string> ChooseLocalAddress(Context& context, Prompt& prompt);

}  // namespace zcluster::ctl
