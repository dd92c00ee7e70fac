// SPDX-License-Identifier: Apache-2.0
// zctl events: what happened on both nodes, and what happens from now on.
#include <limits>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/journals.h"
#include "ctl/verbs/look_on.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"

namespace zcluster::ctl {
namespace {

constexpr uint32_t kMaxEvents = 10'000;
constexpr uint32_t kDefaultEvents = 100;
// Asking for what is new costs no disk.
constexpr absl::Duration kAskAgain = absl::Milliseconds(500);

struct Wish {
  absl::Time since = absl::InfinitePast();
  uint32_t limit = kDefaultEvents;
};

absl::StatusOr<Wish> WishOf(const Context& context) {
  Wish wish;
  // Who says since when wants all from then on.
  if (context.Given("--since")) {
    ZC_ASSIGN_OR_RETURN(wish.since, MomentOf(context, "--since"));
    wish.limit = kMaxEvents;
  }
  if (context.Given("--limit")) {
    ZC_ASSIGN_OR_RETURN(wish.limit, NumberOf(context, "--limit", 1, kMaxEvents));
  }
  return wish;
}

Json HappeningJson(const Happening& happening) {
  const v1::Event& event = *happening.event;
  return Json::Object({{"at", MomentJson(ToAbsl(event.at()))},
                       {"node", Json::String(happening.journal->node)},
                       {"journal_number", Json::Number(event.number())},
                       {"name", Json::String(event.name())},
                       {"warning", Json::Bool(event.warning())},
                       {"fields", FieldsJson(event)}});
}

void SayWhatIsMissing(Context& context, const NodeJournal& journal) {
  if (journal.problem.empty()) return;
  context.err << context.program.name << ": " << SanitiseLines(journal.problem) << std::endl;
}

// A line an event, with -o yaml a document.
void ShowEach(Context& context, const std::vector<Happening>& happenings, bool& first) {
  for (const Happening& happening : happenings) {
    if (!ForPrograms(context)) {
      context.out << EventLine(happening.journal->node, *happening.event, context.style) << '\n';
      continue;
    }
    if (context.format == Format::kYaml && !first) context.out << "---\n";
    first = false;
    Print(context, HappeningJson(happening));
  }
  context.out << std::flush;
}

// The newest `limit`.
std::vector<Happening> Newest(const std::vector<NodeJournal>& journals, size_t limit) {
  std::vector<Happening> happenings = Merge(journals);
  if (happenings.size() > limit) {
    happenings.erase(happenings.begin(), happenings.end() - static_cast<std::ptrdiff_t>(limit));
  }
  return happenings;
}

ExitCode ShowPast(Context& context, const Wish& wish) {
  const auto journals = ReadJournals(context, wish.since, wish.limit);
  if (!journals.ok()) return Fail(context, journals.status());
  for (const NodeJournal& journal : *journals) SayWhatIsMissing(context, journal);
  const std::vector<Happening> happenings = Newest(*journals, wish.limit);
  if (ForPrograms(context)) {
    std::vector<Json> list;
    for (const Happening& happening : happenings) list.push_back(HappeningJson(happening));
    Print(context, Json::Object({{"events", Json::List(std::move(list))},
                                 {"nodes", JournalsJson(*journals)}}));
    return ExitCode::kOk;
  }
  bool first = true;
  ShowEach(context, happenings, first);
  if (happenings.empty()) context.err << context.program.name << ": no event matches" << std::endl;
  return ExitCode::kOk;
}

ExitCode Follow(Context& context, const Wish& wish) {
  LookingOn looking(context);
  std::vector<NodeJournal> journals;
  bool first = true;
  return looking.Run([&](const Channel& channel, grpc::ClientContext*) {
    if (journals.empty()) {
      auto past = ReadJournals(context, wish.since, wish.limit);
      if (!past.ok()) {
        return grpc::Status(static_cast<grpc::StatusCode>(past.status().code()),
                            std::string(past.status().message()));
      }
      journals = *std::move(past);
      looking.Heard();
      SayWhatIsMissing(context, journals[1]);
      ShowEach(context, Newest(journals, wish.limit), first);
    }
    while (!looking.OverWithin(kAskAgain)) {
      const grpc::Status own = ReadOn(channel, journals[0]);
      if (!own.ok()) return own;
      looking.Heard();
      const bool missed = !journals[1].problem.empty();
      ReadOn(channel, journals[1]).ok();
      if (!missed) SayWhatIsMissing(context, journals[1]);
      ShowEach(context, Merge(journals), first);
    }
    return grpc::Status::OK;
  });
}

}  // namespace

ExitCode Events(Context& context) {
  const auto wish = WishOf(context);
  if (!wish.ok()) return Fail(context, wish.status());
  if (context.Has("--follow")) return Follow(context, *wish);
  if (context.timeout <= absl::ZeroDuration()) context.timeout = absl::Seconds(10);
  return ShowPast(context, *wish);
}

}  // namespace zcluster::ctl
