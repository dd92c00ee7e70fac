// SPDX-License-Identifier: Apache-2.0
#include "ctl/access_verbs.h"

#include "absl/time/time.h"

namespace zcluster::ctl {
namespace {

constexpr absl::Duration kQuestion = absl::Seconds(5);
constexpr absl::Duration kOperation = absl::Minutes(10);
constexpr absl::Duration kNothingToWaitFor = absl::ZeroDuration();

}  // namespace

std::vector<Verb> AccessVerbs() {
  return {
      {"operator add",
       "let somebody reach the pair from elsewhere",
       "Admits an operator, and writes the file with which zctl reaches the pair from elsewhere "
       "(or "
       "the fleet, if a controller is asked): "
       "its key is made here and is nowhere else. One of that name gets a new credential, and the "
       "old one ends.",
       {{"NAME", "letters, digits, '-', '.'", true}},
       {{"--role",
         "",
         "ROLE",
         "viewer looks, operator also steers, admin also changes",
         {"viewer", "operator", "admin"}},
        {"--out", "", "FILE", "where to write it (default NAME.zctl, here); never overwritten"}},
       kOperation,
       {{"zctl operator add anna --role operator", "writes anna.zctl"},
        {"zctl operator add anna --role viewer --context controller",
         "for the fleet of the controller on this machine"}},
       OperatorAdd},
      {"operator list",
       "who may reach the pair from elsewhere",
       "Lists the operators that are admitted, what each may do, and the fingerprint of its key.",
       {},
       {},
       kQuestion,
       {{"zctl operator list", "who is admitted?"}},
       OperatorList},
      {"operator revoke",
       "admit an operator no longer",
       "Ends an operator's credential, and its open calls.",
       {{"NAME", "as it was added", true}},
       {},
       kOperation,
       {{"zctl operator revoke anna", "at once"}},
       OperatorRevoke},
      {"audit",
       "who changed what",
       "Lists the calls that changed something, or would have: who, from where, what, and how it "
       "ended. The newest first.",
       {},
       {{"--limit", "", "NUMBER", "at most so many, up to 10000 (default 100)"}},
       kQuestion,
       {{"zctl audit --limit 20", "what happened last?"}},
       Audit},
      {"context add",
       "remember a pair or a fleet that can be reached from here",
       "Keeps a credential of `zctl operator add` under a name, in $XDG_CONFIG_HOME/zcluster or "
       "~/.config/zcluster.",
       {{"NAME", "how to call it here", true}},
       {{"--credential", "", "FILE", "what `zctl operator add` wrote"},
        {"--address",
         "",
         "HOST:PORT",
         "instead of the credential's, tried in order",
         {},
         /*many=*/true}},
       kNothingToWaitFor,
       {{"zctl context add web --credential anna.zctl", "then: zctl --context web nodes"}},
       ContextAdd},
      {"context use",
       "speak to that pair or fleet from now on",
       "Makes a context the default. `local` is no choice: the agent of this node, and for fleet "
       "verbs the controller on this machine. --context and the environment's ZCTL_CONTEXT come "
       "before it.",
       {{"CONTEXT", "its name, or local", true}},
       {},
       kNothingToWaitFor,
       {{"zctl context use web", "zctl nodes is now about the pair web"},
        {"zctl context use local", "back to this node"}},
       ContextUse},
      {"context list",
       "the pairs and fleets that can be reached from here",
       "Lists the contexts, and which is in use.",
       {},
       {},
       kNothingToWaitFor,
       {{"zctl context list", "whom do I speak to?"}},
       ContextList},
      {"context remove",
       "forget a pair or a fleet",
       "Deletes a context with its credential. The operator is still admitted: see `zctl operator "
       "revoke`.",
       {{"CONTEXT", "its name", true}},
       {},
       kNothingToWaitFor,
       {{"zctl context remove web", "forget it"}},
       ContextRemove},
  };
}

}  // namespace zcluster::ctl
