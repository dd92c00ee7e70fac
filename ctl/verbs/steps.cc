// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/steps.h"

#include <ostream>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

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

Json StepsJson(Json::Members before, std::vector<Json> steps, const absl::Status& end) {
  before.emplace_back("steps", Json::List(std::move(steps)));
  before.emplace_back("ok", Json::Bool(end.ok()));
  before.emplace_back("error", Json::String(end.message()));
  return Json::Object(std::move(before));
}

ExitCode FollowSteps(Context& context, Begin begin, const Ending& ending) {
  auto channel = Reach(context);
  if (!channel.ok()) return Fail(context, channel.status());
  if (context.Has("--force")) {
    context.err << context.program.name
                << ": --force: what the other node does not hold yet will be lost" << std::endl;
  }
  const absl::Time asked = absl::Now();
  grpc::ClientContext call;
  LimitTime(context, call);
  const auto reader = begin(*channel, &call);
  std::vector<Json> steps;
  v1::Step step;
  while (reader->Read(&step)) {
    steps.push_back(StepJson(step));
    if (!ForPrograms(context)) ShowStep(context, step);
  }
  const absl::Status end = Outcome(context, reader->Finish(), /*answered=*/!steps.empty());
  if (ForPrograms(context)) {
    Print(context, StepsJson(ending.before, std::move(steps), end));
  } else if (end.ok()) {
    context.out << ending.done << " in " << Short(absl::Now() - asked) << '\n';
  }
  return end.ok() ? ExitCode::kOk : Fail(context, end, ending.aborted);
}

}  // namespace zcluster::ctl
