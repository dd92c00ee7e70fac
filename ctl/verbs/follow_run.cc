// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/follow_run.h"

#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/command.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// What one node did. The agents bound what a command may print, so holding all of it is bounded
// too.
struct NodeRun {
  std::string node;
  std::string standard_output;
  std::string standard_error;
  absl::optional<v1::RunResult> result;

  std::string Problem() const {
    return result ? result->problem() : "the agent did not tell how it ended";
  }
  bool Succeeded() const { return result && result->exit_code() == 0 && result->problem().empty(); }
};

NodeRun& RunOf(const std::string& node, std::vector<NodeRun>& runs) {
  for (NodeRun& run : runs) {
    if (run.node == node) return run;
  }
  runs.push_back({node, "", "", absl::nullopt});
  return runs.back();
}

void Record(const v1::RunEvent& event, std::vector<NodeRun>& runs) {
  NodeRun& run = RunOf(event.node(), runs);
  switch (event.kind_case()) {
    case v1::RunEvent::kStandardOutput:
      run.standard_output += event.standard_output();
      break;
    case v1::RunEvent::kStandardError:
      run.standard_error += event.standard_error();
      break;
    case v1::RunEvent::kResult:
      run.result = event.result();
      break;
    case v1::RunEvent::KIND_NOT_SET:
      break;  // from a newer agent
  }
}

// Prints as it comes: a heading for each node, its output, and how it ended.
class Screen {
 public:
  Screen(Context& context, std::string pair) : context_(context), pair_(std::move(pair)) {}

  void Show(const v1::RunEvent& event) {
    if (event.node() != node_) Head(event.node());
    switch (event.kind_case()) {
      case v1::RunEvent::kStandardOutput:
        // As it is, to the byte: it is what was asked for, it may be piped on, and it comes from a
        // program that root allowed on that node. Everything else that a node says is sanitised.
        Print(context_.out, event.standard_output());
        break;
      case v1::RunEvent::kStandardError:
        Print(context_.err, SanitiseLines(event.standard_error()));
        break;
      case v1::RunEvent::kResult:
        Foot(event.result());
        break;
      case v1::RunEvent::KIND_NOT_SET:
        break;
    }
  }

 private:
  void Print(std::ostream& stream, const std::string& text) {
    if (text.empty()) return;
    stream << text << std::flush;
    at_line_start_ = text.back() == '\n';
  }

  void EndLine() {
    if (!at_line_start_) context_.out << '\n';
    at_line_start_ = true;
  }

  void Head(const std::string& node) {
    EndLine();
    node_ = node;
    context_.out << context_.style.Paint(Colour::kBold, absl::StrCat("== ", Name(), " ==\n"))
                 << std::flush;
  }

  void Foot(const v1::RunResult& result) {
    EndLine();
    const bool good = result.problem().empty() && result.exit_code() == 0;
    const std::string how =
        result.problem().empty()
            ? absl::StrCat("exit code ", result.exit_code(), " in ", Short(ToAbsl(result.took())))
            : Sanitise(result.problem());
    context_.out << context_.style.Paint(good ? Colour::kGreen : Colour::kRed,
                                         absl::StrCat("-- ", Name(), ": ", how))
                 << '\n'
                 << std::flush;
  }

  std::string Name() const {
    return Sanitise(pair_.empty() ? node_ : absl::StrCat(pair_, "/", node_));
  }

  Context& context_;
  const std::string pair_;
  std::string node_;
  bool at_line_start_ = true;
};

Json RunsJson(const std::vector<NodeRun>& runs) {
  std::vector<Json> list;
  for (const NodeRun& run : runs) {
    const bool ended = run.Problem().empty();
    list.push_back(Json::Object(
        {{"node", Json::String(run.node)},
         {"exit_code", ended ? Json::Integer(run.result->exit_code()) : Json::Null()},
         {"stdout", Json::String(run.standard_output)},
         {"stderr", Json::String(run.standard_error)},
         {"took_ms", run.result ? Json::Milliseconds(ToAbsl(run.result->took())) : Json::Null()},
         {"problem", Json::String(run.Problem())}}));
  }
  return Json::List(std::move(list));
}

// Whether every node said that its run succeeded; says which told no end.
bool Succeeded(Context& context, const std::vector<NodeRun>& runs) {
  bool all = !runs.empty();
  if (runs.empty()) {
    Fail(context,
         absl::InternalError(absl::StrCat("run: the ", Called(context), " told of no node")));
  }
  for (const NodeRun& run : runs) {
    all = all && run.Succeeded();
    if (!run.result) Fail(context, absl::UnknownError(absl::StrCat(run.node, ": ", run.Problem())));
  }
  return all;
}

}  // namespace

absl::StatusOr<v1::RunRequest> MakeRunRequest(const std::vector<std::string>& words, size_t first) {
  v1::RunRequest request;
  request.set_name(words[first]);
  for (size_t i = first + 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("run: '", words[i],
                       "' is not KEY=VALUE; `zctl run` on a node lists what each command takes"));
    }
    const std::string key = words[i].substr(0, equals);
    if (!request.mutable_arguments()->insert({key, words[i].substr(equals + 1)}).second) {
      return absl::InvalidArgumentError(absl::StrCat("run: '", key, "' is given twice"));
    }
  }
  return request;
}

Ran FollowRun(Context& context, const std::string& pair, BeginRun begin) {
  grpc::ClientContext call;
  LimitTime(context, call);
  const auto reader = begin(context.channel, &call);
  Screen screen(context, pair);
  std::vector<NodeRun> runs;
  v1::RunEvent event;
  while (reader->Read(&event)) {
    if (!ForPrograms(context)) {
      screen.Show(event);
      event.clear_standard_output();
      event.clear_standard_error();
    }
    Record(event, runs);
  }
  Ran ran{.end = Outcome(context, reader->Finish(), /*answered=*/!runs.empty()),
          .told = !runs.empty(),
          .results = RunsJson(runs)};
  ran.succeeded = ran.end.ok() && Succeeded(context, runs);
  return ran;
}

}  // namespace zcluster::ctl
