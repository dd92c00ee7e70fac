// SPDX-License-Identifier: Apache-2.0
// zctl cluster configure, apply: changes the pair's configuration, by single values or as a whole.
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/status.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/change.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"

namespace zcluster::ctl {
namespace {

// More than any configuration has; gRPC's own bound is 4 MiB.
constexpr size_t kMaxDocument = 1 << 20;

absl::StatusOr<v1::Change> SingleValues(const Context& context) {
  if (context.values.empty()) {
    return absl::InvalidArgumentError(
        "nothing to change was given; `zctl cluster configure --help` lists what can be");
  }
  v1::Change change;
  if (context.Given("--check-interval")) {
    ZC_ASSIGN_OR_RETURN(const absl::Duration interval, DurationOf(context, "--check-interval"));
    *change.mutable_check_interval() = ToProto(interval);
  }
  if (context.Given("--multicast")) change.set_multicast(context.Value("--multicast") == "yes");
  change.set_failback(FailbackOf(context.Value("--failback")));
  change.set_preferred(context.Value("--preferred"));
  for (const std::string& vip : context.Values("--vip-add")) change.add_add_vips(vip);
  for (const std::string& vip : context.Values("--vip-remove")) change.add_remove_vips(vip);
  for (const std::string& name : context.Values("--track-add")) change.add_track_interfaces(name);
  for (const std::string& name : context.Values("--track-remove")) {
    change.add_untrack_interfaces(name);
  }
  for (const std::string& gateway : context.Values("--gateway-add")) {
    change.add_add_gateways(gateway);
  }
  for (const std::string& gateway : context.Values("--gateway-remove")) {
    change.add_remove_gateways(gateway);
  }
  return change;
}

absl::StatusOr<std::string> ReadToEnd(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("standard input");
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kMaxDocument) {
      return absl::InvalidArgumentError("standard input: more than a configuration can be (1 MiB)");
    }
  }
}

absl::StatusOr<v1::Change> WholeDocument(const Context& context) {
  const std::string file = context.Value("--file");
  if (file.empty()) {
    return absl::InvalidArgumentError(
        "--file is missing: -f FILE, or -f - for standard input (`zctl cluster describe -o yaml` "
        "prints what there is)");
  }
  v1::Change change;
  ZC_ASSIGN_OR_RETURN(*change.mutable_document(),
                      file == "-" ? ReadToEnd(context.in_fd) : ReadFile(file, kMaxDocument));
  change.set_document_name(file == "-" ? "standard input" : file);
  if (change.document().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(change.document_name(), " is empty"));
  }
  return change;
}

ExitCode Change(Context& context, const absl::StatusOr<v1::Change>& change) {
  if (!change.ok()) return Fail(context, change.status());
  Prompt prompt(context.in_fd, context.err);
  return CarryOut(context, prompt, *change);
}

}  // namespace

ExitCode ClusterConfigure(Context& context) { return Change(context, SingleValues(context)); }

ExitCode ClusterApply(Context& context) { return Change(context, WholeDocument(context)); }

}  // namespace zcluster::ctl
