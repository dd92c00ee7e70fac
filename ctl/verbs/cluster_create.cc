// SPDX-License-Identifier: Apache-2.0
// zctl cluster create: a pair of this node, the future master, and an unconfigured one.
#include <ostream>
#include <string>

#include "absl/strings/ascii.h"
#include "common/status.h"
#include "ctl/terminal/prompt.h"
#include "ctl/verbs/admission.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/interfaces.h"
#include "ctl/verbs/steps.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// What is wrong with the command line, before anybody is asked anything.
absl::Status Check(const Context& context, const Prompt& prompt) {
  if (context.Given("--local-link") != context.Given("--remote-link")) {
    return absl::InvalidArgumentError(
        "--local-link and --remote-link: a wire of the pair's own has two ends; give both or none");
  }
  ZC_RETURN_IF_ERROR(CheckAdmission(context, prompt));
  if (prompt.IsTerminal()) return absl::OkStatus();
  for (const char* option : {"--local-ip", "--remote-ip"}) {
    if (context.Given(option)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(option, " is missing, and standard input is no terminal to ask on"));
  }
  return absl::OkStatus();
}

// All that is not a question.
absl::Status Fill(const Context& context, v1::CreateRequest& request) {
  request.set_local_ip(context.Value("--local-ip"));
  request.set_remote_ip(context.Value("--remote-ip"));
  request.set_bootstrap(context.Value("--bootstrap"));
  request.set_name(context.Value("--name"));
  request.set_failback(FailbackOf(context.Value("--failback")));
  request.set_local_link(context.Value("--local-link"));
  request.set_remote_link(context.Value("--remote-link"));
  for (const std::string& vip : context.Values("--vip")) request.add_vips(vip);
  for (const std::string& root : context.Values("--root")) request.add_roots(root);
  if (context.Given("--router-id")) {
    ZC_ASSIGN_OR_RETURN(const uint32_t id, NumberOf(context, "--router-id", 1, 255));
    request.set_router_id(id);
  }
  request.set_multicast(context.Has("--multicast"));
  if (context.Given("--check-interval")) {
    ZC_ASSIGN_OR_RETURN(const absl::Duration interval, DurationOf(context, "--check-interval"));
    *request.mutable_check_interval() = ToProto(interval);
  }
  return absl::OkStatus();
}

absl::Status AskForTheRest(Context& context, Prompt& prompt, v1::CreateRequest& request) {
  if (request.local_ip().empty()) {
    ZC_ASSIGN_OR_RETURN(*request.mutable_local_ip(), ChooseLocalAddress(context, prompt));
  }
  if (request.remote_ip().empty()) {
    ZC_ASSIGN_OR_RETURN(const std::string answer, prompt.Line("Address of the other node: "));
    request.set_remote_ip(std::string(absl::StripAsciiWhitespace(answer)));
    if (request.remote_ip().empty()) {
      return absl::InvalidArgumentError("the other node has no address; --remote-ip names it");
    }
  }
  return Admit(context, prompt, request);
}

}  // namespace

ExitCode ClusterCreate(Context& context) {
  Prompt prompt(context.in_fd, context.err);
  v1::CreateRequest request;
  absl::Status ready = Check(context, prompt);
  if (ready.ok()) ready = Fill(context, request);
  // Who cannot be reached is told before questions are asked.
  if (ready.ok()) ready = Reach(context).status();
  if (ready.ok()) ready = AskForTheRest(context, prompt, request);
  if (!ready.ok()) {
    WipeAdmission(request);
    return Fail(context, ready);
  }
  return FollowSteps(context,
                     [&request](const Channel& channel, grpc::ClientContext* call) {
                       auto reader = v1::ClusterService::NewStub(channel)->Create(call, request);
                       WipeAdmission(request);  // it is on its way
                       return reader;
                     },
                     {.done = "the cluster is configured and healthy"});
}

}  // namespace zcluster::ctl
