// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/fleet_each.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// So many names are read; the others are counted.
constexpr size_t kMaxNamed = 20;

void SayNotAsked(Context& context, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const size_t named = std::min(names.size(), kMaxNamed);
  const std::vector<std::string> some(names.begin(),
                                      names.begin() + static_cast<std::ptrdiff_t>(named));
  context.err << context.program.name
              << ": not asked any more: " << Sanitise(absl::StrJoin(some, ", "));
  if (named < names.size()) context.err << " and " << Count(names.size() - named) << " more";
  context.err << std::endl;
}

}  // namespace

ExitCode ForEach(Context& context, const std::vector<std::string>& names,
                 absl::FunctionRef<One(size_t i)> each) {
  const auto channel = Reach(context);
  if (!channel.ok()) return Fail(context, channel.status());
  WarnOfForce(context);
  std::vector<Json> done;
  One last;
  size_t asked = 0;
  while (asked < names.size() && last.succeeded) {
    last = each(asked++);
    last.json.insert(last.json.begin(), {"pair", Json::String(names[asked - 1])});
    done.push_back(Json::Object(std::move(last.json)));
  }
  const std::vector<std::string> not_asked(names.begin() + static_cast<std::ptrdiff_t>(asked),
                                           names.end());
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"pairs", Json::List(std::move(done))},
                                 {"not_asked", Json::Strings(not_asked)},
                                 {"ok", Json::Bool(last.succeeded)}}));
  }
  if (last.succeeded) return ExitCode::kOk;
  const ExitCode code =
      last.end.ok() ? ExitCode::kFailed : Fail(context, Annotate(last.end, names[asked - 1]));
  SayNotAsked(context, not_asked);
  return code;
}

ExitCode FollowEach(Context& context, const std::vector<std::string>& names, BeginOne begin,
                    const std::string& done) {
  return ForEach(context, names, [&](size_t i) {
    if (names.size() > 1 && !ForPrograms(context)) {
      context.out << context.style.Paint(Colour::kBold,
                                         absl::StrCat("== ", Sanitise(names[i]), " =="))
                  << std::endl;
    }
    Carried carried = CarryOutSteps(
        context,
        [&begin, i](const Channel& channel, grpc::ClientContext* call) {
          return begin(i, channel, call);
        },
        absl::StrCat(Sanitise(names[i]), ": ", done));
    One one{.end = carried.end, .succeeded = carried.end.ok(), .json = {}};
    one.json = {{"steps", Json::List(std::move(carried.steps))},
                {"ok", Json::Bool(carried.end.ok())},
                {"error", Json::String(carried.end.message())}};
    return one;
  });
}

}  // namespace zcluster::ctl
