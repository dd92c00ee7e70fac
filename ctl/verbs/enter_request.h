// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "common/status.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"

namespace zcluster::ctl {

// What `maintenance enter` asks of one node, on the spot or through a controller: --force,
// --reason,
// --for. INVALID_ARGUMENT names the option that is wrong.
template <typename Request>
absl::StatusOr<Request> EnterRequestOf(const Context& context) {
  Request request;
  request.set_force(context.Has("--force"));
  request.set_reason(context.Value("--reason"));
  if (context.Given("--for")) {
    ZC_ASSIGN_OR_RETURN(const absl::Duration length, DurationOf(context, "--for"));
    *request.mutable_length() = ToProto(length);
  }
  return request;
}

}  // namespace zcluster::ctl
