// SPDX-License-Identifier: Apache-2.0
// zctl fleet run: a command of the catalogue, in each of some pairs.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_each.h"
#include "ctl/verbs/fleet_pairs.h"
#include "ctl/verbs/follow_run.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {

ExitCode FleetRun(Context& context) {
  // With --selector the first word is the command already.
  const bool selected = context.Given("--selector");
  const size_t command = selected ? 0 : 1;
  if (context.words.size() <= command) {
    return Fail(context, absl::InvalidArgumentError(
                             selected ? "NAME is missing: the command to run"
                                      : "PAIR (or --selector) and NAME are missing: where, and the "
                                        "command to run"));
  }
  const auto run = MakeRunRequest(context.words, command);
  if (!run.ok()) return Fail(context, run.status());
  std::vector<std::string> words;
  if (!selected) words = absl::StrSplit(context.words[0], ',');
  const auto pairs = PairsMeant(context, words, "PAIR", "Run it on both nodes of");
  if (!pairs.ok()) return Fail(context, pairs.status());
  return ForEach(context, *pairs, [&](size_t i) {
    v1::FleetRunRequest request;
    request.set_pair((*pairs)[i]);
    *request.mutable_run() = *run;
    Ran ran = FollowRun(context, request.pair(),
                        [&request](const Channel& channel, grpc::ClientContext* call) {
                          return v1::FleetService::NewStub(channel)->Run(call, request);
                        });
    One one{.end = ran.end, .succeeded = ran.succeeded, .json = {}};
    one.json = {{"results", std::move(ran.results)},
                {"ok", Json::Bool(ran.succeeded)},
                {"error", Json::String(ran.end.message())}};
    return one;
  });
}

}  // namespace zcluster::ctl
