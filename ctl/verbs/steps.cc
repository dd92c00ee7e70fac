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

void WarnOfForce(Context& context) {
  if (!context.Has("--force")) return;
  context.err << context.program.name
              << ": --force: what the other node does not hold yet will be lost" << std::endl;
}

Carried CarryOutSteps(Context& context, Begin begin, const std::string& done) {
  const absl::Time asked = absl::Now();
  grpc::ClientContext call;
  LimitTime(context, call);
  const auto reader = begin(context.channel, &call);
  Carried carried;
  v1::Step step;
  while (reader->Read(&step)) {
    carried.steps.push_back(StepJson(step));
    if (!ForPrograms(context)) ShowStep(context, step);
  }
  carried.end = Outcome(context, reader->Finish(), /*answered=*/!carried.steps.empty());
  if (carried.end.ok() && !ForPrograms(context)) {
    context.out << done << " in " << Short(absl::Now() - asked) << std::endl;
  }
  return carried;
}

ExitCode FollowSteps(Context& context, Begin begin, const Ending& ending) {
  const auto channel = Reach(context);
  if (!channel.ok()) return Fail(context, channel.status());
  WarnOfForce(context);
  Carried carried = CarryOutSteps(context, begin, ending.done);
  if (ForPrograms(context)) {
    Print(context, StepsJson(ending.before, std::move(carried.steps), carried.end));
  }
  return carried.end.ok() ? ExitCode::kOk : Fail(context, carried.end, ending.aborted);
}

}  // namespace zcluster::ctl
