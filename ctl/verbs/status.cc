// SPDX-License-Identifier: Apache-2.0
// zctl status: one screen about the pair.
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/pair_view.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

using Reply = v1::GetStatusResponse;

constexpr char kUnconfiguredHint[] =
    "make a pair with `zctl cluster create` here, or let the other node make it: `zctl node token` "
    "admits it\n";

// This node's name, status and role: what an operator wants to know first.
std::string Headline(const v1::Node& node, const Style& style) {
  return absl::StrCat(Sanitise(node.hostname()), " is ", Word(node.role()), ", ",
                      style.Paint(ColourOf(node.status()), Word(node.status())), ": ",
                      Sanitise(node.message()), "\n");
}

std::string Screen(const Reply& reply, const Style& style) {
  auto title = [&style](absl::string_view text) {
    return absl::StrCat("\n", style.Paint(Colour::kBold, text), "\n");
  };
  return absl::StrCat(
      Headline(LocalNode(reply), style), "pair ", Sanitise(reply.pair()), ", term ", reply.term(),
      ", an advert each ", Short(ToAbsl(reply.advert_interval())), ", agent ",
      Sanitise(reply.version()), "\n", title("Readiness"), ReadinessText(reply, style),
      title("Nodes"), NodesTable(reply.nodes(), Ages::kHidden).Render(style, 2), title("VIPs"),
      VipsText(reply, style), title("Peer link"), LinkText(reply.link(), style),
      title("Connections"), ConntrackText(reply.conntrack(), style), title("Synchronised roots"),
      RootsText(reply, style),
      reply.has_controller()
          ? absl::StrCat(title("Controller"), ControllerText(reply.controller(), style))
          : "");
}

}  // namespace

ExitCode Status(Context& context) {
  Reply reply;
  const absl::Status status = Ask(context, [&reply](const Channel& channel,
                                                    grpc::ClientContext* call) {
    return v1::ClusterService::NewStub(channel)->GetStatus(call, v1::GetStatusRequest(), &reply);
  });
  if (!status.ok()) return Fail(context, status);
  if (ForPrograms(context)) {
    Print(context, StatusJson(reply));
  } else if (LocalNode(reply).role() == v1::ROLE_UNCONFIGURED) {
    context.out << Headline(LocalNode(reply), context.style) << kUnconfiguredHint;
  } else {
    context.out << Screen(reply, context.style);
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
