// SPDX-License-Identifier: Apache-2.0
// zctl fleet events: what happened, and what happens from now on.
#include <algorithm>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/look_on.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// What the controller gives at most of the past, in one answer.
constexpr uint32_t kMaxEvents = 10'000;
// Only what is followed has no end.
constexpr absl::Duration kPast = absl::Seconds(30);

absl::StatusOr<v1::FleetEventsRequest> MakeRequest(const Context& context) {
  v1::FleetEventsRequest request;
  if (!context.words.empty() && context.Given("--selector")) {
    return absl::InvalidArgumentError("PAIR and --selector both say which; keep one");
  }
  *request.mutable_pairs() = {context.words.begin(), context.words.end()};
  request.set_selector(context.Value("--selector"));
  request.set_follow(context.Has("--follow"));
  request.set_warnings(context.Has("--warnings"));
  if (context.Given("--since")) {
    ZC_ASSIGN_OR_RETURN(const absl::Time since, MomentOf(context, "--since"));
    *request.mutable_since() = ToProto(since);
  }
  if (context.Given("--after")) {
    uint64_t after = 0;
    if (!absl::SimpleAtoi(context.Value("--after"), &after)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--after: '", context.Value("--after"), "' is not the number of an event"));
    }
    request.set_after(after);
  }
  if (context.Given("--limit")) {
    ZC_ASSIGN_OR_RETURN(const uint32_t limit, NumberOf(context, "--limit", 1, kMaxEvents));
    request.set_limit(limit);
  }
  return request;
}

// A line an event, as it comes.
void ShowEach(Context& context, const v1::FleetEvents& events, bool& first) {
  for (const v1::FleetEvent& event : events.events()) {
    if (!ForPrograms(context)) {
      context.out << EventLine(event, context.style) << '\n';
      continue;
    }
    if (context.format == Format::kYaml && !first) context.out << "---\n";
    first = false;
    Print(context, EventJson(event));
  }
  context.out << std::flush;
}

ExitCode Follow(Context& context, v1::FleetEventsRequest request) {
  LookingOn looking(context);
  bool first = true;
  bool begun = false;
  return looking.Run([&](const Channel& channel, grpc::ClientContext* call) {
    // From the second time on all that was missed, not the newest of it.
    if (begun) request.set_limit(kMaxEvents);
    begun = true;
    const auto reader = v1::FleetService::NewStub(channel)->Events(call, request);
    v1::FleetEvents events;
    while (!looking.Over() && reader->Read(&events)) {
      looking.Heard();
      ShowEach(context, events, first);
      for (const v1::FleetEvent& event : events.events()) {
        request.set_after(std::max(request.after(), event.number()));
      }
    }
    if (looking.Over()) call->TryCancel();
    return reader->Finish();
  });
}

// What there is: lines as they come, or one object at the end.
ExitCode ShowPast(Context& context, const v1::FleetEventsRequest& request) {
  std::vector<Json> list;
  bool none = true;
  const absl::Status status = Ask(context, [&](const Channel& channel, grpc::ClientContext* call) {
    const auto reader = v1::FleetService::NewStub(channel)->Events(call, request);
    v1::FleetEvents events;
    bool first = true;
    while (reader->Read(&events)) {
      none = none && events.events().empty();
      if (!ForPrograms(context)) ShowEach(context, events, first);
      for (const v1::FleetEvent& event : events.events()) {
        if (ForPrograms(context) && list.size() < kMaxEvents) list.push_back(EventJson(event));
      }
    }
    return reader->Finish();
  });
  if (!status.ok()) return Fail(context, status);
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"events", Json::List(std::move(list))}}));
  } else if (none) {
    context.err << context.program.name << ": no event matches" << std::endl;
  }
  return ExitCode::kOk;
}

}  // namespace

ExitCode FleetEvents(Context& context) {
  const auto request = MakeRequest(context);
  if (!request.ok()) return Fail(context, request.status());
  if (request->follow()) return Follow(context, *request);
  if (context.timeout <= absl::ZeroDuration()) context.timeout = kPast;
  return ShowPast(context, *request);
}

}  // namespace zcluster::ctl
