// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "ctl/output/json.h"
#include "ctl/verbs/steps.h"
#include "ctl/verbs/verb.h"

// Operations on pairs of a fleet, one after the other: what goes wrong on the first must not go
// wrong on all of them.
namespace zcluster::ctl {

// What became of one of them.
struct One {
  absl::Status end;       // why it failed; OK also for a failure that was shown already
  bool succeeded = true;  // else those after it are not asked
  Json::Members json;     // what programs read of it, beside its name
};

// Does `each` for each of `names` ("web-1", "web-1/lb1") until one fails; a heading tells them
// apart if there are several. Then says whom it did not ask any more. For programs: {"pairs":
// [{"pair",
// ...}], "not_asked": [...], "ok"}; not when nobody was reached. The exit code is the failure's.
ExitCode ForEach(Context& context, const std::vector<std::string>& names,
                 absl::FunctionRef<One(size_t i)> each);

// The same for operations that tell their steps: `begin` asks for the one of that index, and
// "NAME: `done` in 95 ms" is its end. Headings tell them apart if there are several.
using BeginOne = absl::FunctionRef<std::unique_ptr<grpc::ClientReader<v1::Step>>(
    size_t i, const Channel& channel, grpc::ClientContext* call)>;
ExitCode FollowEach(Context& context, const std::vector<std::string>& names, BeginOne begin,
                    const std::string& done);

}  // namespace zcluster::ctl
