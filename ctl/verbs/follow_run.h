// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "ctl/output/json.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/command.pb.h"

// A command that runs on both nodes of a pair, as it is told.
namespace zcluster::ctl {

// How to begin it.
using BeginRun = absl::FunctionRef<std::unique_ptr<grpc::ClientReader<v1::RunEvent>>(
    const Channel& channel, grpc::ClientContext* call)>;

// What became of it.
struct Ran {
  absl::Status end;        // why it did not run; what nodes say is in `results`
  bool told = false;       // some node said something
  bool succeeded = false;  // on every node
  Json results;            // [{"node", "exit_code", "stdout", "stderr", "took_ms", "problem"}]
};

// Shows what each node prints, under its name, and how it ended there; not for programs. `pair`
// stands before the nodes' names; empty: it goes without saying. Somebody must have been reached.
Ran FollowRun(Context& context, const std::string& pair, BeginRun begin);

// The command and its KEY=VALUE words, from `words[first]` on. INVALID_ARGUMENT names the word that
// is wrong.
absl::StatusOr<v1::RunRequest> MakeRunRequest(const std::vector<std::string>& words, size_t first);

}  // namespace zcluster::ctl
