// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>

#include "absl/status/statusor.h"
#include "ctl/verbs/verb.h"

// Reaching the agent, and saying why something failed.
namespace zcluster::ctl {

// A channel to the agent on context.socket. The error is fit for the operator: UNAVAILABLE if
// nobody answers there, PERMISSION_DENIED if we may not ask.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Reach(const Context& context);

// Ends the call when context.timeout has passed.
void LimitTime(const Context& context, grpc::ClientContext& call);

// What the agent answered, as it said it. Where gRPC speaks instead (the agent went away, our own
// time is up), in our words; UNAVAILABLE if the agent never answered, which `answered` denies.
absl::Status Outcome(const Context& context, const grpc::Status& status, bool answered);

// "zctl: " and the message on standard error, without what could mislead a terminal; the exit code
// that fits.
ExitCode Fail(Context& context, const absl::Status& status);

}  // namespace zcluster::ctl
