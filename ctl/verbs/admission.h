// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "ctl/terminal/prompt.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/cluster.pb.h"

namespace zcluster::ctl {

// OK if the command line says enough, and nothing that contradicts, of how the other node lets us
// in: on a terminal the rest is asked for.
absl::Status CheckAdmission(const Context& context, const Prompt& prompt);

// Puts into `request`, whose remote_ip and bootstrap say where to knock, how the other node lets us
// in: the join token, or its root password and the fingerprint that goes with it. No secret is
// asked for before a given fingerprint was found to be the one that the other node shows, no
// password before somebody has confirmed it. FAILED_PRECONDITION: another node answers there;
// CANCELLED: not confirmed. The secret is then in `request` alone: see WipeAdmission.
absl::Status Admit(Context& context, Prompt& prompt, v1::CreateRequest& request);

// Overwrites the secret in `request`.
void WipeAdmission(v1::CreateRequest& request);

}  // namespace zcluster::ctl
