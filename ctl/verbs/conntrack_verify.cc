// SPDX-License-Identifier: Apache-2.0
// zctl conntrack verify: the two kernels' tables, compared, and made the same.
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ctl/output/figures.h"
#include "ctl/output/table.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/flow_words.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::ctl {
namespace {

constexpr uint32_t kMostShown = 1000;

bool Equal(const v1::VerifiedFlows& verified) {
  return verified.differing() == 0 && verified.unexamined() == 0;
}

// What must be the same on both nodes.
uint64_t Replicated(const v1::ClassCounts& counts) {
  return counts.forwarded() + counts.translated() + counts.ends_on_master();
}

void SayStep(Context& context, const std::string& step) {
  if (ForPrograms(context)) return;
  context.err << context.program.name << ": " << Sanitise(step) << std::endl;
}

absl::StatusOr<v1::VerifiedFlows> Compare(Context& context, uint32_t limit) {
  v1::VerifyFlowsRequest request;
  request.set_limit(limit);
  v1::VerifiedFlows verified;
  const absl::Status asked = Ask(context, [&](const Channel& channel, grpc::ClientContext* call) {
    const auto reader = v1::FlowService::NewStub(channel)->Verify(call, request);
    v1::VerifyFlowsProgress progress;
    while (reader->Read(&progress)) {
      if (progress.has_result()) {
        verified = std::move(*progress.mutable_result());
      } else {
        SayStep(context, progress.step());
      }
    }
    return reader->Finish();
  });
  if (!asked.ok()) return asked;
  return verified;
}

// What is wrong with it, in words: "missing on node2", "only on node2", "differs: mark 0x1 on
// node1, 0x2 on node2".
std::string What(const v1::VerifiedFlows& verified, const v1::FlowDifference& difference) {
  const std::string& master = verified.master().node();
  const std::string& standby = verified.standby().node();
  if (!difference.has_standby()) return absl::StrCat("missing on ", standby);
  if (!difference.has_master()) return absl::StrCat("only on ", standby);
  std::string what = "differs:";
  const char* separator = " ";
  for (const FlowField& field : DifferingFields(difference.master(), difference.standby())) {
    absl::StrAppend(&what, separator, field.name, " ", field.master, " on ", master, ", ",
                    field.standby, " on ", standby);
    separator = "; ";
  }
  return what;
}

const v1::Flow& Known(const v1::FlowDifference& difference) {
  return difference.has_master() ? difference.master() : difference.standby();
}

void ShowDifferences(Context& context, const v1::VerifiedFlows& verified) {
  for (const v1::FlowDifference& difference : verified.differences()) {
    context.out << "  " << FlowText(Known(difference), context.style) << "\n      "
                << Sanitise(What(verified, difference)) << '\n';
  }
  const auto shown = static_cast<uint64_t>(verified.differences_size());
  if (verified.differing() > shown) {
    context.out << "  and " << Count(verified.differing() - shown) << " more (--limit)\n";
  }
  if (verified.unexamined() > 0) {
    context.out << "  and " << CountOf(verified.unexamined(), "flow")
                << " that did not agree at first; too many to look at again\n";
  }
}

void Show(Context& context, const v1::VerifiedFlows& verified) {
  const std::string all = CountOf(Replicated(verified.master().counts()), "flow");
  const std::string took = Short(ToAbsl(verified.took()));
  if (Equal(verified)) {
    context.out << context.style.Paint(Colour::kGreen, "equal")
                << absl::StrCat(": both kernels hold the same of ", all, " (", took, ")\n");
  } else {
    context.out << context.style.Paint(Colour::kRed, "different")
                << absl::StrCat(": ", Count(verified.differing()), " of ", all,
                                " not the same in both kernels (", took, ")\n");
    ShowDifferences(context, verified);
  }
  if (verified.in_motion() > 0) {
    context.out << "in motion: " << CountOf(verified.in_motion(), "flow")
                << " changed while they were compared\n";
  }
  Table table({"NODE", "ROLE", "FORWARDED", "WITH NAT", "END ON MASTER", "END ON BACKUP", "OWN",
               "FILTERED"});
  const auto add = [&](const v1::VerifiedTable& node, const char* role) {
    const v1::ClassCounts& counts = node.counts();
    table.Add({node.node(), role, Count(counts.forwarded()), Count(counts.translated()),
               Count(counts.ends_on_master()), Count(counts.ends_on_standby()), Count(counts.own()),
               Count(counts.filtered())});
  };
  add(verified.master(), "MASTER");
  add(verified.standby(), "BACKUP");
  context.out << '\n' << table.Render(context.style) << std::flush;
}

Json CountsJson(const v1::VerifiedTable& table) {
  const v1::ClassCounts& counts = table.counts();
  return Json::Object({{"node", Json::String(table.node())},
                       {"forwarded", Json::Number(counts.forwarded())},
                       {"translated", Json::Number(counts.translated())},
                       {"ends_on_master", Json::Number(counts.ends_on_master())},
                       {"ends_on_standby", Json::Number(counts.ends_on_standby())},
                       {"own", Json::Number(counts.own())},
                       {"filtered", Json::Number(counts.filtered())}});
}

Json DifferenceJson(const v1::VerifiedFlows& verified, const v1::FlowDifference& difference) {
  Json::Members members = {{"what", Json::String(What(verified, difference))},
                           {"on_master", Json::Bool(difference.has_master())},
                           {"on_standby", Json::Bool(difference.has_standby())}};
  std::vector<Json> fields;
  if (difference.has_master() && difference.has_standby()) {
    for (const FlowField& field : DifferingFields(difference.master(), difference.standby())) {
      fields.push_back(Json::Object({{"field", Json::String(field.name)},
                                     {"master", Json::String(field.master)},
                                     {"standby", Json::String(field.standby)}}));
    }
  }
  members.emplace_back("fields", Json::List(std::move(fields)));
  members.emplace_back("flow", Json::Object(FlowMembers(Known(difference))));
  return Json::Object(std::move(members));
}

Json ToJson(const v1::VerifiedFlows& verified, uint64_t repaired) {
  std::vector<Json> differences;
  for (const v1::FlowDifference& difference : verified.differences())
    differences.push_back(DifferenceJson(verified, difference));
  return Json::Object({{"equal", Json::Bool(Equal(verified))},
                       {"compared", Json::Number(Replicated(verified.master().counts()))},
                       {"differing", Json::Number(verified.differing())},
                       {"unexamined", Json::Number(verified.unexamined())},
                       {"in_motion", Json::Number(verified.in_motion())},
                       {"differed_before_repair", Json::Number(repaired)},
                       {"master", CountsJson(verified.master())},
                       {"standby", CountsJson(verified.standby())},
                       {"took_ms", Json::Milliseconds(ToAbsl(verified.took()))},
                       {"differences", Json::List(std::move(differences))}});
}

absl::Status Repair(Context& context) {
  v1::RepairFlowsResponse response;
  return Ask(context, [&](const Channel& channel, grpc::ClientContext* call) {
    return v1::FlowService::NewStub(channel)->Repair(call, v1::RepairFlowsRequest(), &response);
  });
}

}  // namespace

ExitCode ConntrackVerify(Context& context) {
  uint32_t limit = 0;
  if (context.Given("--limit")) {
    const auto given = NumberOf(context, "--limit", 1, kMostShown);
    if (!given.ok()) return Fail(context, given.status());
    limit = *given;
  }
  absl::StatusOr<v1::VerifiedFlows> verified = Compare(context, limit);
  if (!verified.ok()) return Fail(context, verified.status());
  uint64_t repaired = 0;
  if (context.Has("--repair") && !Equal(*verified)) {
    repaired = verified->differing() + verified->unexamined();
    if (!ForPrograms(context)) {
      Show(context, *verified);
      context.out << std::endl;
    }
    SayStep(context, "making the backup's table what the master's is");
    const absl::Status status = Repair(context);
    if (!status.ok()) return Fail(context, status);
    verified = Compare(context, limit);
    if (!verified.ok()) return Fail(context, verified.status());
  }
  if (ForPrograms(context)) {
    Print(context, ToJson(*verified, repaired));
  } else {
    Show(context, *verified);
  }
  return Equal(*verified) ? ExitCode::kOk : ExitCode::kDifferent;
}

}  // namespace zcluster::ctl
