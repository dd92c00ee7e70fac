// SPDX-License-Identifier: Apache-2.0
// zctl fleet show: all that a controller knows of one pair.
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ctl/output/figures.h"
#include "ctl/output/table.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_words.h"
#include "ctl/verbs/pair_view.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

using Reply = v1::ShowPairResponse;

// ---- JSON

Json ViewJson(const Reply::View& view) {
  return Json::Object(
      {{"node", Json::String(view.node())},
       {"age_seconds", view.has_age() ? Json::Seconds(ToAbsl(view.age())) : Json::Null()},
       {"certificate_expires", view.has_certificate_expires()
                                   ? Json::Time(ToAbsl(view.certificate_expires()))
                                   : Json::Null()},
       {"enrolled", view.has_enrolled() ? Json::Time(ToAbsl(view.enrolled())) : Json::Null()},
       {"events_taken", Json::Number(view.events_taken())},
       {"status", view.has_status() ? StatusJson(view.status()) : Json::Null()}});
}

Json ShowJson(const Reply& reply) {
  std::vector<Json> views, events;
  for (const Reply::View& view : reply.views()) views.push_back(ViewJson(view));
  for (const v1::FleetEvent& event : reply.events()) events.push_back(EventJson(event));
  return Json::Object({{"pair", PairJson(reply.summary())},
                       {"views", Json::List(std::move(views))},
                       {"events", Json::List(std::move(events))}});
}

// ---- the screen

Table FleetNodesTable(const v1::PairSummary& pair) {
  Table table({"NODE", "ROLE", "IP", "STATUS", "AGENT", "HEARD", "VERSION", "ALLOW", "MESSAGE"});
  for (const v1::FleetNode& node : pair.nodes()) {
    table.Add({node.name(),
               Word(node.role()),
               node.ip(),
               {Word(node.status()), ColourOf(node.status())},
               node.connected() ? Table::Cell("connected", Colour::kGreen)
                                : Table::Cell("away", Colour::kRed),
               node.has_age() ? Short(ToAbsl(node.age())) : "never",
               node.version().empty() ? "-" : node.version(),
               Word(node.allow()),
               node.message()});
  }
  return table;
}

std::string Enrolment(const Reply::View& view) {
  std::string text = "  ";
  if (view.has_enrolled()) absl::StrAppend(&text, "enrolled ", Date(ToAbsl(view.enrolled())), ", ");
  if (view.has_certificate_expires()) {
    absl::StrAppend(&text, "certificate until ", Date(ToAbsl(view.certificate_expires())), ", ");
  }
  return absl::StrCat(text, "events up to ", view.events_taken(), " taken\n");
}

std::string ViewText(const Reply::View& view, const Style& style) {
  const std::string age =
      view.has_age() ? absl::StrCat(", ", Short(ToAbsl(view.age())), " ago") : "";
  std::string text = absl::StrCat(
      "\n", style.Paint(Colour::kBold, Sanitise(absl::StrCat("As ", view.node(), " sees it", age))),
      "\n", Enrolment(view));
  if (!view.has_status()) return absl::StrCat(text, "  it has told nothing yet\n");
  const v1::GetStatusResponse& status = view.status();
  const auto part = [&style](absl::string_view title) {
    return style.Paint(Colour::kBold, absl::StrCat("  ", title, "\n"));
  };
  return absl::StrCat(text, "  agent ", Sanitise(status.version()), ", term ", status.term(),
                      ", an advert each ", Short(ToAbsl(status.advert_interval())), "\n",
                      part("Readiness"), ReadinessText(status, style), part("VIPs"),
                      VipsText(status, style), part("Peer link"), LinkText(status.link(), style),
                      part("Connections"), ConntrackText(status.conntrack(), style),
                      part("Synchronised roots"), RootsText(status, style));
}

std::string Screen(const Reply& reply, const Style& style) {
  const v1::PairSummary& pair = reply.summary();
  std::string text = absl::StrCat(
      Sanitise(pair.name()), " is ", style.Paint(ColourOf(pair.status()), Word(pair.status())),
      ": ", Sanitise(pair.message()), "\n",
      pair.ready() ? "a failover right now would succeed"
                   : "a failover right now would not succeed",
      ", ", CountOf(pair.flows(), "flow"), ", term ", pair.term(), ", generation ",
      pair.generation(), ", labels ", Sanitise(LabelsText(pair.labels())), "\n\n",
      style.Paint(Colour::kBold, "Nodes"), "\n", FleetNodesTable(pair).Render(style, 2));
  for (const Reply::View& view : reply.views()) absl::StrAppend(&text, ViewText(view, style));
  absl::StrAppend(&text, "\n", style.Paint(Colour::kBold, "Last events"), "\n",
                  reply.events().empty() ? "  none\n" : "");
  for (const v1::FleetEvent& event : reply.events()) {
    absl::StrAppend(&text, "  ", EventLine(event, style), "\n");
  }
  return text;
}

}  // namespace

ExitCode FleetShow(Context& context) {
  v1::ShowPairRequest request;
  request.set_pair(context.words[0]);
  Reply reply;
  const absl::Status status =
      Ask(context, [&request, &reply](const Channel& channel, grpc::ClientContext* call) {
        return v1::FleetService::NewStub(channel)->Show(call, request, &reply);
      });
  if (!status.ok()) return Fail(context, status);
  if (ForPrograms(context)) {
    Print(context, ShowJson(reply));
  } else {
    context.out << Screen(reply, context.style);
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
