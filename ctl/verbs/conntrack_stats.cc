// SPDX-License-Identifier: Apache-2.0
// zctl conntrack stats: this node's connections, counted, and what replication does.
#include <algorithm>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ctl/output/figures.h"
#include "ctl/output/table.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/flow_words.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::ctl {
namespace {

std::string StateOf(const v1::FlowGroup& group) {
  if (group.has_tcp_state()) return TcpStateWord(group.tcp_state());
  return group.replied() ? "REPLIED" : "UNREPLIED";
}

// What was read; the kernel counts what is not replicated too.
uint64_t Read(const v1::FlowStats& stats) {
  uint64_t flows = 0;
  for (const v1::FlowGroup& group : stats.groups()) flows += group.flows();
  return flows;
}

uint64_t Others(const v1::FlowStats& stats) {
  const uint64_t read = Read(stats);
  return stats.entries() > read ? stats.entries() - read : 0;
}

std::string Bytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return absl::StrFormat(unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
}

std::string MemoryText(const v1::ReplicationStats& stats) {
  if (stats.flows() == 0 || stats.memory() == 0) return Bytes(stats.memory());
  return absl::StrCat(Bytes(stats.memory()), " (", stats.memory() / stats.flows(), " B a flow)");
}

std::string RoleText(const v1::ReplicationStats& stats) {
  if (!stats.enabled()) return "off";
  const std::string role = stats.master() ? "sends" : "is sent to";
  return stats.synchronised() ? absl::StrCat(role, ", synchronised")
                              : absl::StrCat(role, ", not synchronised: ", stats.problem());
}

void ShowReplication(Context& context, const v1::ReplicationStats& stats) {
  Table table({});
  table.Add({"replication", RoleText(stats)});
  table.Add({"replicated", CountOf(stats.flows(), "flow")});
  if (stats.has_lag()) table.Add({"lag", Short(ToAbsl(stats.lag()))});
  if (stats.has_equal_for()) {
    table.Add({"sent and held", absl::StrCat("the same for ", Short(ToAbsl(stats.equal_for())))});
  }
  table.Add({"changes", stats.batches() == 0 ? Count(stats.changes())
                                             : absl::StrCat(Count(stats.changes()),
                                                            "; batches: ", Count(stats.batches()),
                                                            ", ", Bytes(stats.bytes()))});
  table.Add({"snapshots", Count(stats.snapshots())});
  table.Add({"overruns", Count(stats.overruns())});
  table.Add({"refused", Count(stats.refused())});
  table.Add({"missing", Count(stats.missing())});
  table.Add({"gave way", Count(stats.gave_way())});
  table.Add({"memory", MemoryText(stats)});
  table.Add({"verified", absl::StrCat(CountOf(stats.verifications(), "time"), ", ",
                                      CountOf(stats.differing(), "flow"), " differed, ",
                                      CountOf(stats.repairs(), "repair"))});
  context.out << table.Render(context.style);
}

void Show(Context& context, const v1::FlowStats& stats) {
  context.out << Sanitise(stats.node()) << ": " << Count(stats.entries()) << " of at most "
              << Count(stats.maximum()) << " entries\n\n";
  Table table({"PROTOCOL", "STATE", "CLASS", "FLOWS"});
  std::vector<v1::FlowGroup> groups(stats.groups().begin(), stats.groups().end());
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.flows() > b.flows(); });
  for (const v1::FlowGroup& group : groups) {
    table.Add({ProtocolWord(group.protocol()), StateOf(group), Word(group.flow_class()),
               Count(group.flows())});
  }
  if (Others(stats) > 0) table.Add({"others", "", "", Count(Others(stats))});
  context.out << table.Render(context.style) << '\n';
  ShowReplication(context, stats.replication());
  context.out << std::flush;
}

Json ReplicationJson(const v1::ReplicationStats& stats) {
  return Json::Object(
      {{"enabled", Json::Bool(stats.enabled())},
       {"master", Json::Bool(stats.master())},
       {"synchronised", Json::Bool(stats.synchronised())},
       {"problem", Json::String(stats.problem())},
       {"flows", Json::Number(stats.flows())},
       {"lag_ms", stats.has_lag() ? Json::Milliseconds(ToAbsl(stats.lag())) : Json::Null()},
       {"equal_for_seconds",
        stats.has_equal_for() ? Json::Seconds(ToAbsl(stats.equal_for())) : Json::Null()},
       {"changes", Json::Number(stats.changes())},
       {"batches", Json::Number(stats.batches())},
       {"bytes", Json::Number(stats.bytes())},
       {"snapshots", Json::Number(stats.snapshots())},
       {"overruns", Json::Number(stats.overruns())},
       {"refused", Json::Number(stats.refused())},
       {"missing", Json::Number(stats.missing())},
       {"gave_way", Json::Number(stats.gave_way())},
       {"memory_bytes", Json::Number(stats.memory())},
       {"verifications", Json::Number(stats.verifications())},
       {"differing", Json::Number(stats.differing())},
       {"repairs", Json::Number(stats.repairs())}});
}

Json ToJson(const v1::FlowStats& stats) {
  std::vector<Json> groups;
  for (const v1::FlowGroup& group : stats.groups()) {
    groups.push_back(Json::Object({{"protocol", Json::String(ProtocolWord(group.protocol()))},
                                   {"state", Json::String(StateOf(group))},
                                   {"class", Json::String(Word(group.flow_class()))},
                                   {"flows", Json::Number(group.flows())}}));
  }
  return Json::Object({{"node", Json::String(stats.node())},
                       {"entries", Json::Number(stats.entries())},
                       {"maximum", Json::Number(stats.maximum())},
                       {"others", Json::Number(Others(stats))},
                       {"groups", Json::List(std::move(groups))},
                       {"replication", ReplicationJson(stats.replication())}});
}

}  // namespace

ExitCode ConntrackStats(Context& context) {
  v1::FlowStats stats;
  const absl::Status asked = Ask(context, [&](const Channel& channel, grpc::ClientContext* call) {
    return v1::FlowService::NewStub(channel)->Stats(call, v1::FlowStatsRequest(), &stats);
  });
  if (!asked.ok()) return Fail(context, asked);
  if (ForPrograms(context)) {
    Print(context, ToJson(stats));
  } else {
    Show(context, stats);
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
