// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/change.h"

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "ctl/output/diff.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/steps.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

Json::Members PlanJson(const v1::PlanResponse& plan, bool applied) {
  return {{"generation", Json::Number(plan.generation())},
          {"changed", Json::Bool(plan.before() != plan.after())},
          {"diff", Json::String(Diff(plan.before(), plan.after(), Style(false)))},
          {"disturbances", Json::Strings({plan.disturbances().begin(), plan.disturbances().end()})},
          {"applied", Json::Bool(applied)}};
}

void ShowPlan(Context& context, const v1::PlanResponse& plan) {
  context.out << Diff(plan.before(), plan.after(), context.style);
  if (!plan.disturbances().empty()) {
    context.out << context.style.Paint(Colour::kOrange, "This disturbs the traffic:") << '\n';
  }
  for (const std::string& disturbance : plan.disturbances()) {
    context.out << "  - " << Sanitise(disturbance) << '\n';
  }
  context.out << std::flush;
}

// What there is to say without applying.
ExitCode Leave(Context& context, const v1::PlanResponse& plan, const std::string& why) {
  if (ForPrograms(context)) {
    Print(context, StepsJson(PlanJson(plan, /*applied=*/false), {}, absl::OkStatus()));
  } else {
    context.out << why << '\n';
  }
  return ExitCode::kOk;
}

absl::Status MayDisturb(Context& context, Prompt& prompt, const v1::PlanResponse& plan) {
  if (plan.disturbances().empty() || context.Has("--yes")) return absl::OkStatus();
  // For programs the plan is not on the screen, and whoever is asked must know what about.
  if (prompt.IsTerminal() && !ForPrograms(context)) {
    if (prompt.Confirm("Apply it?")) return absl::OkStatus();
    return absl::CancelledError("not applied; nothing was changed");
  }
  std::string message = "this disturbs the traffic, and needs --yes; nothing was changed";
  if (ForPrograms(context)) {
    for (const std::string& what : plan.disturbances()) absl::StrAppend(&message, "\n- ", what);
  }
  return absl::CancelledError(message);
}

}  // namespace

ExitCode CarryOut(Context& context, Prompt& prompt, const v1::Change& change) {
  v1::PlanRequest question;
  *question.mutable_change() = change;
  v1::PlanResponse plan;
  const absl::Status planned =
      Ask(context, [&question, &plan](const Channel& channel, grpc::ClientContext* call) {
        return v1::ClusterService::NewStub(channel)->Plan(call, question, &plan);
      });
  if (!planned.ok()) return Fail(context, planned, ExitCode::kConflict);
  if (plan.before() == plan.after()) {
    return Leave(context, plan, "nothing to do: the configuration is so already");
  }
  if (!ForPrograms(context)) ShowPlan(context, plan);
  if (context.Has("--dry-run")) return Leave(context, plan, "not applied: --dry-run");
  const absl::Status may = MayDisturb(context, prompt, plan);
  if (!may.ok()) return Fail(context, may);

  v1::ApplyRequest request;
  *request.mutable_change() = change;
  request.set_generation(plan.generation());
  // Only what was shown is accepted: if more would be disturbed by now, the agent refuses.
  request.set_accept_disturbance(!plan.disturbances().empty());
  return FollowSteps(context,
                     [&request](const Channel& channel, grpc::ClientContext* call) {
                       return v1::ClusterService::NewStub(channel)->Apply(call, request);
                     },
                     {.done = "changed on both nodes",
                      .aborted = ExitCode::kConflict,
                      .before = PlanJson(plan, /*applied=*/true)});
}

}  // namespace zcluster::ctl
