// SPDX-License-Identifier: Apache-2.0
// zctl run: a command of the catalogue, on the master and then on the backup.
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "ctl/output/figures.h"
#include "ctl/output/json.h"
#include "ctl/output/table.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
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
  explicit Screen(Context& context) : context_(context) {}

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
    context_.out << context_.style.Paint(Colour::kBold,
                                         absl::StrCat("== ", Sanitise(node), " ==\n"))
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
                                         absl::StrCat("-- ", Sanitise(node_), ": ", how))
                 << '\n'
                 << std::flush;
  }

  Context& context_;
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
  return Json::Object({{"results", Json::List(list)}});
}

ExitCode ListCommands(Context& context, v1::CommandService::Stub& stub, grpc::ClientContext& call) {
  v1::ListCommandsResponse response;
  const grpc::Status status = stub.List(&call, v1::ListCommandsRequest(), &response);
  if (!status.ok()) return Fail(context, Outcome(context, status, /*answered=*/false));
  Table table({"NAME", "ARGUMENTS", "SUMMARY"});
  std::vector<Json> list;
  for (const v1::CommandInfo& command : response.commands()) {
    const std::vector<std::string> names(command.arguments().begin(), command.arguments().end());
    table.Add({command.name(),
               absl::StrJoin(names, " ",
                             [](std::string* out, const std::string& name) {
                               absl::StrAppend(out, name, "=...");
                             }),
               command.summary()});
    list.push_back(Json::Object({{"name", Json::String(command.name())},
                                 {"summary", Json::String(command.summary())},
                                 {"arguments", Json::Strings(names)}}));
  }
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"commands", Json::List(list)}}));
  } else if (list.empty()) {
    context.out << "the catalogue is empty (`commands` in pair.yaml)\n";
  } else {
    context.out << table.Render(context.style);
  }
  return ExitCode::kOk;
}

// OK only if every node said that its run succeeded.
ExitCode Verdict(Context& context, const std::vector<NodeRun>& runs) {
  if (runs.empty()) return Fail(context, absl::InternalError("run: the agent told of no node"));
  ExitCode verdict = ExitCode::kOk;
  for (const NodeRun& run : runs) {
    if (!run.Succeeded()) verdict = ExitCode::kFailed;
    if (!run.result) Fail(context, absl::UnknownError(absl::StrCat(run.node, ": ", run.Problem())));
  }
  return verdict;
}

// KEY=VALUE words as a request, or the word that is wrong.
absl::StatusOr<v1::RunRequest> MakeRequest(const std::vector<std::string>& words) {
  v1::RunRequest request;
  request.set_name(words[0]);
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "run: '", words[i], "' is not KEY=VALUE; `zctl run` lists what each command takes"));
    }
    const std::string key = words[i].substr(0, equals);
    if (!request.mutable_arguments()->insert({key, words[i].substr(equals + 1)}).second) {
      return absl::InvalidArgumentError(absl::StrCat("run: '", key, "' is given twice"));
    }
  }
  return request;
}

}  // namespace

ExitCode Run(Context& context) {
  v1::RunRequest request;
  if (!context.words.empty()) {
    auto made = MakeRequest(context.words);
    if (!made.ok()) return Fail(context, made.status());
    request = *std::move(made);
  }
  auto channel = Reach(context);
  if (!channel.ok()) return Fail(context, channel.status());
  const auto stub = v1::CommandService::NewStub(*channel);
  grpc::ClientContext call;
  LimitTime(context, call);
  if (context.words.empty()) return ListCommands(context, *stub, call);

  const auto reader = stub->Run(&call, request);
  Screen screen(context);
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
  const absl::Status end = Outcome(context, reader->Finish(), /*answered=*/!runs.empty());
  if (ForPrograms(context) && (end.ok() || !runs.empty())) Print(context, RunsJson(runs));
  if (!end.ok()) return Fail(context, end);
  return Verdict(context, runs);
}

}  // namespace zcluster::ctl
