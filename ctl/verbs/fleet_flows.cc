// SPDX-License-Identifier: Apache-2.0
// zctl fleet flows: a pair's connections as they come and go.
#include <ostream>
#include <string>

#include "absl/time/clock.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/flow_words.h"
#include "ctl/verbs/look_on.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// More than that nobody reads, and no controller gives.
constexpr uint32_t kMaxRate = 1000;
// How often it is said how many were not shown, while there are some.
constexpr absl::Duration kPace = absl::Seconds(2);

class Shown {
 public:
  explicit Shown(Context& context) : context_(context) {}
  ~Shown() { SaySkipped(); }
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;

  void Show(const v1::FlowsSeen& seen) {
    SayNode(seen.node());
    for (const v1::SeenFlow& flow : seen.flows()) {
      if (!ForPrograms(context_)) {
        context_.out << FlowLine(flow, context_.style) << '\n';
        continue;
      }
      if (context_.format == Format::kYaml && !first_) context_.out << "---\n";
      first_ = false;
      Print(context_, FlowJson(flow, seen.node()));
    }
    context_.out << std::flush;
    skipped_ += seen.skipped();
    if (absl::Now() >= said_ + kPace) SaySkipped();
  }

 private:
  // After a failover it is another one.
  void SayNode(const std::string& node) {
    if (node == node_) return;
    if (!node_.empty()) {
      context_.err << context_.program.name << ": " << Sanitise(node) << " sees them from now on"
                   << std::endl;
    }
    node_ = node;
  }
  void SaySkipped() {
    if (skipped_ == 0) return;
    context_.err << context_.program.name << ": " << CountOf(skipped_, "change")
                 << " not shown, too many at a time (--rate)" << std::endl;
    skipped_ = 0;
    said_ = absl::Now();
  }

  Context& context_;
  std::string node_;
  bool first_ = true;
  uint64_t skipped_ = 0;
  absl::Time said_ = absl::InfinitePast();
};

}  // namespace

ExitCode FleetFlows(Context& context) {
  v1::FleetFlowsRequest request;
  request.set_pair(context.words[0]);
  if (context.Given("--rate")) {
    const auto rate = NumberOf(context, "--rate", 1, kMaxRate);
    if (!rate.ok()) return Fail(context, rate.status());
    request.set_max_per_second(*rate);
  }
  LookingOn looking(context);
  Shown shown(context);
  return looking.Run([&](const Channel& channel, grpc::ClientContext* call) {
    const auto reader = v1::FleetService::NewStub(channel)->Flows(call, request);
    v1::FlowsSeen seen;
    while (reader->Read(&seen)) {
      looking.Heard();
      shown.Show(seen);
    }
    return reader->Finish();
  });
}

}  // namespace zcluster::ctl
