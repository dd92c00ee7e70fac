// SPDX-License-Identifier: Apache-2.0
// zctl conntrack list: the connections that this node's kernel holds.
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ctl/output/figures.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/flow_filter.h"
#include "ctl/verbs/flow_words.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::ctl {
namespace {

constexpr uint32_t kMostListed = 1000000;

Json ToJson(const v1::ListedFlow& listed) {
  Json::Members members = FlowMembers(listed.flow());
  members.emplace_back("class", Json::String(Word(listed.flow_class())));
  members.emplace_back("timeout_seconds", Json::Number(listed.timeout()));
  return Json::Object(std::move(members));
}

// One a line, as they come: nobody waits for the millionth.
class Shown {
 public:
  explicit Shown(Context& context) : context_(context) {}

  void Show(const v1::ListedFlow& listed) {
    if (!ForPrograms(context_)) {
      context_.out << FlowText(listed.flow(), context_.style) << "  "
                   << Short(absl::Seconds(listed.timeout())) << '\n';
      return;
    }
    if (context_.format == Format::kYaml && !first_) context_.out << "---\n";
    first_ = false;
    Print(context_, ToJson(listed));
  }

 private:
  Context& context_;
  bool first_ = true;
};

}  // namespace

ExitCode ConntrackList(Context& context) {
  v1::ListFlowsRequest request;
  const absl::StatusOr<v1::FlowFilter> filter = FlowFilterOf(context);
  if (!filter.ok()) return Fail(context, filter.status());
  *request.mutable_filter() = *filter;
  if (context.Given("--limit")) {
    const auto limit = NumberOf(context, "--limit", 1, kMostListed);
    if (!limit.ok()) return Fail(context, limit.status());
    request.set_limit(*limit);
  }
  bool more = false;
  const absl::Status listed = Ask(context, [&](const Channel& channel, grpc::ClientContext* call) {
    const auto reader = v1::FlowService::NewStub(channel)->List(call, request);
    Shown shown(context);
    v1::ListedFlows part;
    while (reader->Read(&part)) {
      for (const v1::ListedFlow& flow : part.flows()) shown.Show(flow);
      context.out << std::flush;
      more = part.more();
    }
    return reader->Finish();
  });
  if (!listed.ok()) return Fail(context, listed);
  if (more) context.err << context.program.name << ": there are more (--limit)" << std::endl;
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
