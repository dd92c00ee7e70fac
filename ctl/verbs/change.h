// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ctl/terminal/prompt.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/cluster.pb.h"

namespace zcluster::ctl {

// Changes the pair's configuration: shows what would be another and what that would do to the
// traffic, asks if it disturbs that (unless --yes), and applies it to the generation that was
// shown. Stops after showing with --dry-run. Nothing to do is no failure. For programs:
// {"generation", "changed", "diff", "disturbances", "applied"} and what FollowSteps tells.
ExitCode CarryOut(Context& context, Prompt& prompt, const v1::Change& change);

}  // namespace zcluster::ctl
