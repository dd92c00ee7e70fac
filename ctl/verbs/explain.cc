// SPDX-License-Identifier: Apache-2.0
// zctl explain: how the master changed, on one timeline over both nodes.
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/journals.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/transition.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {
namespace {

// Months of a pair's life; reading them takes a second.
constexpr size_t kMaxEvents = 10'000;

absl::StatusOr<Which> WhichOf(const Context& context) {
  Which which;
  if (context.Given("--last") && context.Given("--term")) {
    return absl::InvalidArgumentError("--last and --term both say which; keep one");
  }
  if (context.Given("--last")) {
    ZC_ASSIGN_OR_RETURN(which.last, NumberOf(context, "--last", 1, kMaxEvents));
  }
  if (context.Given("--term") &&
      (!absl::SimpleAtoi(context.Value("--term"), &which.term) || which.term == 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--term: '", context.Value("--term"), "' is not a term (zctl status)"));
  }
  return which;
}

// "312 ms", and what is not sure of it.
std::string Took(const Stage& stage) {
  if (!stage.took) return "not known";
  std::string text = absl::StrFormat("%.1f ms", absl::ToDoubleMilliseconds(*stage.took));
  if (stage.uncertainty > absl::ZeroDuration()) {
    absl::StrAppend(&text, absl::StrFormat(" (give or take %.1f ms)",
                                           absl::ToDoubleMilliseconds(stage.uncertainty)));
  }
  return text;
}

std::string Connections(const absl::optional<uint64_t>& count) {
  return count ? absl::StrCat(*count) : "not known";
}

Json CountJson(const absl::optional<uint64_t>& count) {
  return count ? Json::Number(*count) : Json::Null();
}

Json TimelineJson(const Transition& transition) {
  std::vector<Json> list;
  for (const Happening& happening : transition.timeline) {
    list.push_back(
        Json::Object({{"at", MomentJson(happening.At())},
                      {"from_promotion_ms", Json::Milliseconds(happening.At() - transition.at)},
                      {"node", Json::String(happening.journal->node)},
                      {"name", Json::String(happening.event->name())},
                      {"warning", Json::Bool(happening.event->warning())},
                      {"fields", FieldsJson(*happening.event)}}));
  }
  return Json::List(std::move(list));
}

Json TransitionJson(const Transition& transition, const std::vector<NodeJournal>& journals) {
  std::vector<Json> stages;
  for (const Stage& stage : transition.stages) {
    stages.push_back(
        Json::Object({{"name", Json::String(stage.name)},
                      {"took_ms", stage.took ? Json::Milliseconds(*stage.took) : Json::Null()},
                      {"uncertainty_ms", Json::Milliseconds(stage.uncertainty)},
                      {"what", Json::String(stage.from)}}));
  }
  return Json::Object(
      {{"term", Json::Number(transition.term)},
       {"at", MomentJson(transition.at)},
       {"kind", Json::String(transition.kind)},
       {"from", Json::String(transition.from)},
       {"to", Json::String(transition.to)},
       {"cause", Json::String(transition.cause)},
       {"by", Json::String(transition.by)},
       {"reason", Json::String(transition.reason)},
       {"steps", Json::List(std::move(stages))},
       {"connections", Json::Object({{"forwarded_lived", CountJson(transition.lived)},
                                     {"ended_on_node_broke", CountJson(transition.broke)}})},
       {"lacks", Json::Strings(transition.lacks)},
       {"nodes", JournalsJson(journals)},
       {"timeline", TimelineJson(transition)}});
}

void ShowText(Context& context, const Transition& transition,
              const std::vector<NodeJournal>& journals) {
  std::ostream& out = context.out;
  out << context.style.Paint(
             Colour::kBold,
             Sanitise(absl::StrCat(transition.kind, " to ", transition.to,
                                   transition.from.empty() ? "" : " from " + transition.from)))
      << ", term " << transition.term << ", " << Moment(transition.at) << '\n';
  out << "cause        " << Sanitise(transition.cause) << '\n';
  if (!transition.by.empty()) out << "asked by     " << Sanitise(transition.by) << '\n';
  if (!transition.reason.empty()) out << "reason       " << Sanitise(transition.reason) << '\n';
  for (const Stage& stage : transition.stages) {
    out << absl::StrFormat("%-12s ", stage.name) << Took(stage) << ": " << stage.from << '\n';
  }
  out << "connections  " << Connections(transition.lived) << " forwarded lived on, "
      << Connections(transition.broke) << " that ended on the old master broke\n";
  for (const NodeJournal& journal : journals) {
    if (!journal.local && journal.problem.empty()) {
      out << "clocks       " << Sanitise(journal.node) << ": " << ClockText(journal) << '\n';
    }
  }
  for (const std::string& lack : transition.lacks) out << "lacks        " << Sanitise(lack) << '\n';
  out << '\n';
  for (const Happening& happening : transition.timeline) {
    const std::string line = EventLine(happening.journal->node, *happening.event, context.style);
    out << absl::StrFormat("%+12.1f ms  ",
                           absl::ToDoubleMilliseconds(happening.At() - transition.at))
        << line << '\n';
  }
}

}  // namespace

ExitCode Explain(Context& context) {
  const auto which = WhichOf(context);
  if (!which.ok()) return Fail(context, which.status());
  const auto journals = ReadJournals(context, absl::InfinitePast(), kMaxEvents);
  if (!journals.ok()) return Fail(context, journals.status());
  const auto transition = Explain(*journals, *which);
  if (!transition.ok()) {
    for (const NodeJournal& journal : *journals) {
      if (!journal.problem.empty()) Fail(context, absl::UnknownError(journal.problem));
    }
    return Fail(context, transition.status());
  }
  if (ForPrograms(context)) {
    Print(context, TransitionJson(*transition, *journals));
  } else {
    ShowText(context, *transition, *journals);
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
