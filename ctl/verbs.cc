// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs.h"

namespace zcluster::ctl {
namespace {

// A question is answered at once or not at all.
constexpr absl::Duration kQuestion = absl::Seconds(5);
// A hand-over ends by the agent's own bounds, which grow with the advert interval: at 40 s they
// come to 3 minutes, and leaving maintenance may wait another for synchronisation.
constexpr absl::Duration kOperation = absl::Minutes(10);
// A command may run for an hour, on one node after the other.
constexpr absl::Duration kCommand = absl::Minutes(125);
constexpr absl::Duration kNothingToWaitFor = absl::ZeroDuration();

std::vector<Option> Force(const std::string& summary) { return {{"--force", "", "", summary}}; }

std::vector<Verb> Verbs() {
  return {
      {"nodes",
       "both nodes: role, status, and why",
       "Shows the two nodes of the pair as this one sees them. STATUS is GREEN (all correct), RED "
       "(failed), GREY (unreachable or not configured) or ORANGE (in maintenance); MESSAGE says "
       "why.",
       {},
       {},
       kQuestion,
       {{"zctl nodes", "who is master, and is all well?"},
        {"zctl nodes -o json | jq -r '.nodes[] | select(.role == \"MASTER\").hostname'",
         "the master's name, for scripts"}},
       Nodes},
      {"status",
       "one screen about the pair",
       "Shows this node's role, whether a failover right now would succeed and what stands in its "
       "way, "
       "the VIPs, the link to the peer, how far connections and files are synchronised.",
       {},
       {},
       kQuestion,
       {{"zctl status", "would a failover right now succeed?"},
        {"zctl status -o json | jq .ready", "the same for scripts"}},
       Status},
      {"switchover",
       "hand over from the master to its peer",
       "The master has its peer acknowledge all connections and files, gives way, and waits until "
       "the peer "
       "serves. Each step is shown with the time since the start. Asked on the backup, it is "
       "passed on to the "
       "master. Refused, with the reasons, unless the peer is ready.",
       {},
       Force("go on although the peer is not ready; what it does not hold yet is lost"),
       kOperation,
       {{"zctl switchover", "let the other node serve"},
        {"zctl switchover --force", "even if it is not ready"}},
       Switchover},
      {"maintenance enter",
       "take this node out",
       "This node takes over no more, through reboots too, until `zctl maintenance start`. A "
       "master hands over "
       "first. Refused if nobody else could serve.",
       {},
       Force("go on although nobody else can serve, or the peer is not ready"),
       kOperation,
       {{"zctl maintenance enter", "before working on this node"}},
       MaintenanceEnter},
      {"maintenance start",
       "make this node eligible again",
       "Ends the maintenance of this node: once it holds all that the master holds it may take "
       "over again. It "
       "does not take over by that.",
       {},
       Force("become eligible although not synchronised"),
       kOperation,
       {{"zctl maintenance start", "when the work is done"}},
       MaintenanceStart},
      {"run",
       "run a command of the catalogue on both nodes",
       "Runs a command on the master and then on the backup, and shows what each printed, its exit "
       "code "
       "and its time. What may be run is in the catalogue (`commands` in pair.yaml); without NAME "
       "it is listed. The exit "
       "code is 0 only if the command's was 0 on both nodes.",
       {{"NAME", "the command, as the catalogue names it"},
        {"KEY=VALUE", "a value for each argument that the command takes", false, true}},
       {},
       kCommand,
       {{"zctl run", "list what may be run"},
        {"zctl run reload-farm name=web", "run it on both nodes"}},
       Run},
      {"version",
       "versions of zctl and of the agents",
       "Shows the version of this program, of the agent on this node and of the peer's agent.",
       {},
       {},
       kQuestion,
       {{"zctl version", "do both nodes run the same?"}},
       Version},
      {"completion",
       "print shell completion",
       "Prints a script that makes the shell complete verbs, options and the names of commands.",
       {{"SHELL", "bash", true, false, {"bash"}}},
       {},
       kNothingToWaitFor,
       {{"source <(zctl completion bash)", "in this shell"},
        {"zctl completion bash > /etc/bash_completion.d/zctl", "in every new one"}},
       Completion},
      {"man",
       "print the manual page",
       "Prints the manual page in troff.",
       {},
       {},
       kNothingToWaitFor,
       {{"zctl man | man -l -", "read it"}},
       Man},
      {"help",
       "explain a verb",
       "Prints this program's help, or that of a verb.",
       {{"VERB", "the verb to explain", false, true}},
       {},
       kNothingToWaitFor,
       {{"zctl help switchover", "the same as zctl switchover --help"}},
       Help},
  };
}

std::vector<Option> GlobalOptions() {
  return {
      {"--output", "-o", "FORMAT", "table (default) or json", {"table", "json"}},
      {"--socket", "", "PATH", "the agent's socket (default /run/zcluster/agent.sock)"},
      {"--timeout", "", "TIME", "wait at most so long for the agent, such as 500ms, 30s, 5m"},
      {"--no-color", "", "", "no colours; NO_COLOR in the environment does the same"},
      {"--help", "-h", "", "print help"},
      {"--version", "", "", "print zctl's own version"},
  };
}

}  // namespace

const Program& VerbTable() {
  static const Program* const program =
      new Program{"zctl",
                  ZC_VERSION,
                  "steers a pair of zcluster nodes",
                  "Asks the agent of this node over its socket, as root. Errors go to standard "
                  "error and say what to do; "
                  "with -o json what goes to standard output is one JSON object.",
                  GlobalOptions(),
                  {{ExitCode::kOk, "done"},
                   {ExitCode::kFailed, "refused, or failed; standard error says why"},
                   {ExitCode::kUsage, "wrong usage; nothing was done"},
                   {ExitCode::kUnreachable, "no agent answers"}},
                  Verbs()};
  return *program;
}

}  // namespace zcluster::ctl
