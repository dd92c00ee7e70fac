// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "ctl/output/json.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/maintenance.pb.h"

namespace zcluster::ctl {

// How to begin an operation.
using Begin = absl::FunctionRef<std::unique_ptr<grpc::ClientReader<v1::Step>>(
    const Channel& channel, grpc::ClientContext* call)>;

// How to tell its end.
struct Ending {
  std::string done;                      // "`done` in 95 ms"
  ExitCode aborted = ExitCode::kFailed;  // what ABORTED means
  Json::Members before = {};             // what a program reads before the steps
};

// Carries out an operation that tells its steps: shows each as it comes, with its time, and how it
// ended. For programs: {"steps": [{"what", "ms"}], "ok", "error"}, also when it failed; not when no
// agent was reached.
ExitCode FollowSteps(Context& context, Begin begin, const Ending& ending);

// What became of one.
struct Carried {
  absl::Status end;
  std::vector<Json> steps;
};
// The same without an end: shows the steps and `done`, but neither an error nor, for programs,
// anything. Somebody must have been reached.
Carried CarryOutSteps(Context& context, Begin begin, const std::string& done);

// Says once what --force does, if it was given.
void WarnOfForce(Context& context);

// The same object for an operation that needed no step, or had none yet.
Json StepsJson(Json::Members before, std::vector<Json> steps, const absl::Status& end);

}  // namespace zcluster::ctl
