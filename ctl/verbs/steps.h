// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <memory>
#include <string>

#include "ctl/verbs/verb.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::ctl {

// How to begin an operation.
using Begin = std::function<std::unique_ptr<grpc::ClientReader<v1::Step>>(
    v1::MaintenanceService::Stub& stub, grpc::ClientContext* call)>;

// Carries out an operation that tells its steps: shows each as it comes, with its time, and how it
// ended: "`done` in 95 ms". As JSON: {"steps": [{"what", "ms"}], "ok", "error"}, also when it
// failed; not when no agent was reached.
ExitCode FollowSteps(Context& context, const Begin& begin, const std::string& done);

}  // namespace zcluster::ctl
