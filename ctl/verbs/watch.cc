// SPDX-License-Identifier: Apache-2.0
// zctl watch: the nodes now, and again at each change, until somebody has enough.
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "ctl/verbs/look_on.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

void Show(Context& context, const v1::NodesResponse& nodes, bool first) {
  if (ForPrograms(context)) {
    if (context.format == Format::kYaml && !first) context.out << "---\n";
    Print(context, Json::Object({{"at", Json::Time(absl::Now())},
                                 {"nodes", NodesJson(nodes.nodes(), Ages::kHidden)}}));
    return;
  }
  const std::string at = Date(absl::Now());
  const std::string table = NodesTable(nodes.nodes(), Ages::kHidden).Render(context.style);
  context.out << (OnTerminal(context)
                      ? Frame(absl::StrCat("Since ", at, " (Ctrl-C ends)\n\n", table), first)
                      : absl::StrCat(at, "\n", table, "\n"))
              << std::flush;
}

}  // namespace

ExitCode Watch(Context& context) {
  LookingOn looking(context);
  bool first = true;
  return looking.Run([&](const Channel& channel, grpc::ClientContext* call) {
    const auto reader = v1::ClusterService::NewStub(channel)->Watch(call, v1::NodesRequest());
    v1::NodesResponse nodes;
    while (reader->Read(&nodes)) {
      looking.Heard();
      Show(context, nodes, first);
      first = false;
    }
    return reader->Finish();
  });
}

}  // namespace zcluster::ctl
