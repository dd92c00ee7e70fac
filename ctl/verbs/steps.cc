// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/steps.h"

#include <ostream>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "ctl/output/figures.h"
#include "ctl/output/json.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/words.h"

namespace zcluster::ctl {
namespace {

void ShowStep(Context& context, const v1::Step& step) {
  // Flushed: an operator watches, and the next may take a while.
  context.out << absl::StrFormat("%6d ms  %s\n", absl::ToInt64Milliseconds(ToAbsl(step.at())),
                                 Sanitise(step.what()))
              << std::flush;
}

Json StepJson(const v1::Step& step) {
  return Json::Object(
      {{"what", Json::String(step.what())}, {"ms", Json::Milliseconds(ToAbsl(step.at()))}});
}

}  // namespace

ExitCode FollowSteps(Context& context, const Begin& begin, const std::string& done) {
  auto channel = Reach(context);
  if (!channel.ok()) return Fail(context, channel.status());
  if (context.Has("--force")) {
    context.err << context.program.name
                << ": --force: what the other node does not hold yet will be lost" << std::endl;
  }
  const absl::Time asked = absl::Now();
  grpc::ClientContext call;
  LimitTime(context, call);
  const auto stub = v1::MaintenanceService::NewStub(*channel);
  const auto reader = begin(*stub, &call);
  std::vector<Json> steps;
  v1::Step step;
  while (reader->Read(&step)) {
    steps.push_back(StepJson(step));
    if (!context.json) ShowStep(context, step);
  }
  const absl::Status end = Outcome(context, reader->Finish(), /*answered=*/!steps.empty());
  if (context.json) {
    context.out << Json::Object({{"steps", Json::List(steps)},
                                 {"ok", Json::Bool(end.ok())},
                                 {"error", Json::String(end.message())}})
                       .text()
                << '\n';
  } else if (end.ok()) {
    context.out << done << " in " << Short(absl::Now() - asked) << '\n';
  }
  return end.ok() ? ExitCode::kOk : Fail(context, end);
}

}  // namespace zcluster::ctl
