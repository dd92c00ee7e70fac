// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/pair_view.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ctl/output/figures.h"
#include "ctl/output/table.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/words.h"

namespace zcluster::ctl {
namespace {

using Reply = v1::GetStatusResponse;

bool Equal(const v1::RootState& root) {
  return !root.local_digest().empty() && root.local_digest() == root.remote_digest();
}

Json VipsJson(const Reply& reply) {
  std::vector<Json> list;
  for (const v1::Vip& vip : reply.vips()) {
    list.push_back(Json::Object({{"address", Json::String(vip.address())},
                                 {"interface", Json::String(vip.interface())},
                                 {"held", Json::Bool(vip.held())}}));
  }
  return Json::List(list);
}

Json LinkJson(const v1::LinkState& link) {
  return Json::Object(
      {{"up", Json::Bool(link.up())},
       {"address", Json::String(link.address())},
       {"version", Json::String(link.version())},
       {"problem", Json::String(link.problem())},
       {"since_seconds", link.has_since() ? Json::Seconds(ToAbsl(link.since())) : Json::Null()}});
}

std::string DigestText(const v1::ConntrackState& state) {
  return absl::StrCat(absl::Hex(state.digest(), absl::kZeroPad16));
}

Json ConntrackJson(const v1::ConntrackState& state) {
  return Json::Object(
      {{"synchronised", Json::Bool(state.synchronised())},
       {"lag_ms", state.has_lag() ? Json::Milliseconds(ToAbsl(state.lag())) : Json::Null()},
       {"flows", Json::Number(state.flows())},
       {"changes", Json::Number(state.changes())},
       {"snapshots", Json::Number(state.snapshots())},
       {"overruns", Json::Number(state.overruns())},
       {"refused", Json::Number(state.refused())},
       {"missing", Json::Number(state.missing())},
       {"digest", state.digest() == 0 ? Json::Null() : Json::String(DigestText(state))},
       {"differs", Json::Bool(state.differs())},
       {"problem", Json::String(state.problem())}});
}

Json RootsJson(const Reply& reply) {
  std::vector<Json> list;
  for (const v1::RootState& root : reply.roots()) {
    list.push_back(Json::Object({{"path", Json::String(root.path())},
                                 {"local_digest", Json::String(root.local_digest())},
                                 {"remote_digest", Json::String(root.remote_digest())},
                                 {"equal", Json::Bool(Equal(root))},
                                 {"entries", Json::Number(root.entries())},
                                 {"problem", Json::String(root.problem())}}));
  }
  return Json::List(list);
}

Json ControllerJson(const v1::ControllerState& controller) {
  return Json::Object(
      {{"connected", Json::Bool(controller.connected())},
       {"address", Json::String(controller.address())},
       {"fleet", Json::String(controller.fleet())},
       {"pair", Json::String(controller.pair())},
       {"problem", Json::String(controller.problem())},
       {"since_seconds",
        controller.has_since() ? Json::Seconds(ToAbsl(controller.since())) : Json::Null()},
       {"events_waiting", Json::Number(controller.events_waiting())}});
}

// What an operator looks for first: broken, worth a look, well.
size_t Rank(const v1::Precondition& precondition) {
  return precondition.met() ? precondition.warning() ? 1 : 2 : 0;
}

std::vector<v1::Precondition> Ranked(const Reply& reply) {
  std::vector<v1::Precondition> all(reply.readiness().begin(), reply.readiness().end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return Rank(a) < Rank(b); });
  return all;
}

}  // namespace

Json PreconditionsJson(const Reply& reply) {
  std::vector<Json> list;
  for (const v1::Precondition& each : reply.readiness()) {
    list.push_back(Json::Object({{"name", Json::String(each.name())},
                                 {"node", Json::String(each.node())},
                                 {"met", Json::Bool(each.met())},
                                 {"warning", Json::Bool(each.warning())},
                                 {"evidence", Json::String(each.evidence())}}));
  }
  return Json::List(list);
}

std::string PreconditionsText(const Reply& reply, const Style& style) {
  static constexpr std::pair<absl::string_view, Colour> kWords[] = {
      {"no", Colour::kRed}, {"look", Colour::kOrange}, {"yes", Colour::kGreen}};
  Table table({"MET", "PRECONDITION", "NODE", "EVIDENCE"});
  for (const v1::Precondition& each : Ranked(reply)) {
    const auto& [word, colour] = kWords[Rank(each)];
    table.Add({{std::string(word), colour},
               each.name(),
               each.node().empty() ? "both" : each.node(),
               each.evidence()});
  }
  return reply.readiness().empty() ? "" : table.Render(style, 2);
}

v1::Node LocalNode(const Reply& reply) {
  for (const v1::Node& node : reply.nodes()) {
    if (node.local()) return node;
  }
  return v1::Node();
}

Json StatusJson(const Reply& reply) {
  const v1::Node local = LocalNode(reply);
  return Json::Object(
      {{"pair", Json::String(reply.pair())},
       {"role", Json::String(Word(local.role()))},
       {"status", Json::String(Word(local.status()))},
       {"term", Json::Number(reply.term())},
       {"ready", Json::Bool(reply.ready())},
       {"not_ready", Json::Strings({reply.not_ready().begin(), reply.not_ready().end()})},
       {"readiness", PreconditionsJson(reply)},
       {"vips", VipsJson(reply)},
       {"link", LinkJson(reply.link())},
       {"conntrack", ConntrackJson(reply.conntrack())},
       {"roots", RootsJson(reply)},
       {"nodes", NodesJson(reply.nodes(), Ages::kHidden)},
       {"version", Json::String(reply.version())},
       {"advert_interval_ms", Json::Milliseconds(ToAbsl(reply.advert_interval()))},
       {"controller", reply.has_controller() ? ControllerJson(reply.controller()) : Json::Null()}});
}

std::string VipsText(const Reply& reply, const Style& style) {
  Table table({});
  for (const v1::Vip& vip : reply.vips()) {
    table.Add({vip.address(), vip.interface(),
               vip.held() ? Table::Cell("held", Colour::kGreen) : Table::Cell("not held here")});
  }
  return reply.vips().empty() ? "  none\n" : table.Render(style, 2);
}

std::string LinkText(const v1::LinkState& link, const Style& style) {
  const std::string since =
      link.has_since() ? absl::StrCat(" for ", Short(ToAbsl(link.since()))) : "";
  if (!link.up()) {
    return absl::StrCat("  ", style.Paint(Colour::kRed, "down"), since, ": ",
                        Sanitise(link.problem()), "\n");
  }
  return absl::StrCat("  ", style.Paint(Colour::kGreen, "up"), since, ", ",
                      Sanitise(link.address()), ", agent ", Sanitise(link.version()), "\n");
}

std::string ConntrackText(const v1::ConntrackState& state, const Style& style) {
  std::string text = "  ";
  if (state.synchronised()) {
    absl::StrAppend(&text, style.Paint(Colour::kGreen, "synchronised"), ", ",
                    CountOf(state.flows(), "flow"));
    if (state.has_lag()) absl::StrAppend(&text, ", lag ", Short(ToAbsl(state.lag())));
    if (state.digest() != 0) absl::StrAppend(&text, ", digest ", DigestText(state));
    if (state.missing() > 0)
      absl::StrAppend(&text, ", ",
                      style.Paint(Colour::kRed,
                                  absl::StrCat(Count(state.missing()), " missing on the backup")));
    if (state.differs())
      absl::StrAppend(&text, ", ", style.Paint(Colour::kRed, "which is not what was sent"));
  } else {
    absl::StrAppend(&text, style.Paint(Colour::kRed, "not synchronised"), ": ",
                    Sanitise(state.problem()), "; ", CountOf(state.flows(), "flow"));
  }
  absl::StrAppend(&text, "\n  ", CountOf(state.changes(), "change"), ", ",
                  CountOf(state.snapshots(), "snapshot"), ", ",
                  CountOf(state.overruns(), "overrun"), ", ", Count(state.refused()), " refused\n");
  return text;
}

std::string RootsText(const Reply& reply, const Style& style) {
  Table table({});
  for (const v1::RootState& root : reply.roots()) {
    const std::string digests = Equal(root)
                                    ? ShortDigest(root.local_digest())
                                    : absl::StrCat("here ", ShortDigest(root.local_digest()),
                                                   ", peer ", ShortDigest(root.remote_digest()));
    table.Add(
        {root.path(),
         absl::StrCat(Count(root.entries()), root.entries() == 1 ? " entry" : " entries"),
         Equal(root) ? Table::Cell("equal", Colour::kGreen) : Table::Cell("differ", Colour::kRed),
         digests, root.problem()});
  }
  return reply.roots().empty() ? "  none\n" : table.Render(style, 2);
}

std::string ReadinessText(const Reply& reply, const Style& style) {
  std::string text = reply.ready()
                         ? absl::StrCat("  ", style.Paint(Colour::kGreen, "READY"),
                                        ": a failover right now would succeed\n")
                         : absl::StrCat("  ", style.Paint(Colour::kRed, "NOT READY"), "\n");
  for (const std::string& reason : reply.not_ready()) {
    absl::StrAppend(&text, "  - ", Sanitise(reason), "\n");
  }
  for (const v1::Precondition& each : reply.readiness()) {
    if (Rank(each) == 1)
      absl::StrAppend(&text, "  - worth a look: ", Sanitise(each.evidence()), "\n");
  }
  return text;
}

std::string ControllerText(const v1::ControllerState& controller, const Style& style) {
  const std::string since =
      controller.has_since() ? absl::StrCat(" for ", Short(ToAbsl(controller.since()))) : "";
  const std::string waiting =
      controller.events_waiting() == 0
          ? ""
          : absl::StrCat(", ", CountOf(controller.events_waiting(), "event"), " to be told");
  const std::string address = controller.address().empty() ? "" : ", " + controller.address();
  if (!controller.connected()) {
    return absl::StrCat("  ", style.Paint(Colour::kRed, "not connected"), since, Sanitise(address),
                        ": ", Sanitise(controller.problem()), waiting, "\n");
  }
  return absl::StrCat("  ", style.Paint(Colour::kGreen, "connected"), since, Sanitise(address),
                      ", the pair ", Sanitise(controller.pair()), " of the fleet ",
                      Sanitise(controller.fleet()), waiting, "\n");
}

}  // namespace zcluster::ctl
