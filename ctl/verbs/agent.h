// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "ctl/verbs/verb.h"

// Reaching the agent, or the controller, and saying why something failed. What asks does not
// differ: "the agent" below is whichever the verb is for.
namespace zcluster::ctl {

using Channel = std::shared_ptr<grpc::Channel>;

// The context that counts: --context, else the built-in one if --socket is given, else ZCTL_CONTEXT
// of the environment, else what `zctl context use` chose, else the built-in one. That is "local",
// and "controller" for the fleet's verbs. INVALID_ARGUMENT if two of them contradict.
absl::StatusOr<std::string> ChosenContext(const Context& context);

// "agent" or "controller", and "pair" or "fleet": who was reached and what it knows, in a sentence.
std::string Called(const Context& context);
std::string Whole(const Context& context);

// A channel to the agent: over a socket in the built-in contexts, over TLS in others. Kept in
// `context` for the next call. The error is fit for the operator: UNAVAILABLE if nobody answers
// there, PERMISSION_DENIED if we may not ask, UNAUTHENTICATED if the credential is no good.
absl::StatusOr<Channel> Reach(Context& context);

// Ends the call when context.timeout has passed; zero: never.
void LimitTime(const Context& context, grpc::ClientContext& call);

// What the agent answered, as it said it. Where gRPC speaks instead (the agent went away, our own
// time is up), in our words; UNAVAILABLE if the agent never answered, which `answered` denies. If
// it does not know the request, it is asked once more, whether it is a controller where an agent
// was hoped for, or the reverse.
absl::Status Outcome(const Context& context, const grpc::Status& status, bool answered);

// One question, one answer: reaches the agent, has `call` ask it, and tells the outcome.
absl::Status Ask(Context& context,
                 absl::FunctionRef<grpc::Status(const Channel&, grpc::ClientContext*)> call);

// "zctl: " and the message on standard error, without what could mislead a terminal; the exit code
// that fits. CANCELLED is a question that was answered with no. ABORTED means different things to
// different requests: `aborted` says which.
ExitCode Fail(Context& context, const absl::Status& status, ExitCode aborted = ExitCode::kFailed);

}  // namespace zcluster::ctl
