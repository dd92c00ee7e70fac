// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs.h"

#include <utility>

#include "ctl/access_verbs.h"
#include "ctl/conntrack_verbs.h"
#include "ctl/fleet_verbs.h"
#include "ctl/history_verbs.h"

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

std::vector<Option> Enter() {
  return {{"--for", "", "TIME", "how long, 1s to 8760h; default until `maintenance start`"},
          {"--reason", "", "TEXT", "why, for everybody who looks; at most 256 bytes"},
          {"--force", "", "", "go on although nobody else can serve, or the peer is not ready"}};
}

Option Yes(const std::string& summary) { return {"--yes", "", "", summary}; }

Option DryRun() { return {"--dry-run", "", "", "show what would be done, and do nothing"}; }

Option CheckInterval() {
  return {"--check-interval", "", "TIME", "how often the heartbeat is sent, 10ms to 40.95s"};
}

Option Failback() {
  return {"--failback",
          "",
          "POLICY",
          "KEEP the current master, or back to the PREFERRED one once it is synchronised",
          {"KEEP", "PREFERRED"}};
}

constexpr char kAcceptDisturbance[] = "apply although the traffic is disturbed, without asking";

std::vector<Verb> Questions() {
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
       Nodes,
       "zctl fleet show PAIR"},
      {"reload",
       "the same, after asking both nodes afresh",
       "Has this node ask its peer again, for at most two seconds, and shows both as `zctl nodes` "
       "does, with AGE: how long ago it was heard.",
       {},
       {},
       kQuestion,
       {{"zctl reload", "what is true right now?"}},
       Reload,
       "zctl fleet show PAIR"},
      {"watch",
       "the same, again at each change",
       "Shows both nodes as `zctl nodes` does, at once and at each change: in place on a terminal, "
       "else a block (with -o json a line, with -o yaml a document) for each. Waits for an agent "
       "that restarts. Ends on Ctrl-C, when nobody reads any more, or after --timeout.",
       {},
       {},
       kNothingToWaitFor,
       {{"zctl watch", "look on while the pair fails over"},
        {"zctl watch -o json | jq -c '.nodes[].status'", "for scripts"}},
       Watch,
       "zctl fleet watch"},
      {"status",
       "one screen about the pair",
       "Opens with this node's name, role and status. Then whether a failover right now would "
       "succeed and what stands in its way, the VIPs, the link to the peer, how far connections "
       "and files are synchronised.",
       {},
       {},
       kQuestion,
       {{"zctl status", "would a failover right now succeed?"},
        {"zctl status -o json | jq .ready", "the same for scripts"}},
       Status,
       "zctl fleet show PAIR"},
      {"readiness",
       "would a failover right now succeed, and why not?",
       "Shows each precondition of a failover with its evidence: what is not met first, then what "
       "is worth a look but keeps nobody from taking over. Ends with exit code 0 only if all are "
       "met.",
       {},
       {},
       kQuestion,
       {{"zctl readiness", "what stands in the way?"},
        {"zctl readiness >/dev/null && reboot", "go on only while the other node can take over"},
        {"zctl readiness -o json | jq -r '.readiness[] | select(.met | not).name'",
         "the names of what is not met, for scripts"}},
       Readiness,
       "zctl fleet show PAIR"},
  };
}

std::vector<Verb> LifeCycle() {
  return {
      {"cluster create",
       "make a pair of this node and another",
       "Makes a pair of this node, the future master, and one that runs an agent and is in no "
       "pair. "
       "On a terminal it asks for what is not given. The other node lets us in by a join token "
       "(`zctl node token` there) or by its root password; both are read without echo, or from "
       "standard input, never from the command line or the environment. Each step is shown with "
       "its time; if one fails, both nodes are as before.",
       {},
       {{"--local-ip", "", "ADDRESS", "this node's address, of a real interface"},
        {"--remote-ip", "", "ADDRESS", "the other node's address, in the same subnet"},
        {"--name", "", "NAME", "the pair's name (default main)"},
        {"--vip", "", "ADDRESS/LENGTH", "moves with the master", {}, /*many=*/true},
        CheckInterval(),
        Failback(),
        {"--router-id", "", "NUMBER", "VRRP's router id, 1 to 255 (default 51)"},
        {"--multicast", "", "", "adverts go to VRRP's group, not to the other node alone"},
        {"--root", "", "PATH", "the backup shall hold it as the master does", {}, /*many=*/true},
        {"--local-link", "", "ADDRESS", "this node's end of a wire of the pair's own"},
        {"--remote-link", "", "ADDRESS", "the other end"},
        {"--bootstrap", "", "HOST:PORT",
         "where the other node takes joins (default its address, port 7701)"},
        {"--token-stdin", "", "", "standard input is the join token"},
        {"--password-stdin", "", "", "standard input is the other node's root password"},
        {"--fingerprint", "", "SHA256:...",
         "the key that the other node must have (`zctl node fingerprint` there)"},
        Yes("take the only usable address without asking; confirms no fingerprint")},
       kOperation,
       {{"zctl cluster create", "asks for all that it needs"},
        {"ssh lb2 zctl node token | zctl cluster create --local-ip 192.0.2.1 --remote-ip 192.0.2.2 "
         "--vip 192.0.2.10/24 --token-stdin",
         "for scripts"}},
       ClusterCreate},
      {"cluster describe",
       "the pair's configuration, and where its nodes are",
       "Shows the interface on each node, failback, check interval, VIPs, roots, what health is "
       "seen by, how a split brain is decided, the generation of the configuration. With -o yaml: "
       "the configuration itself, "
       "as `zctl cluster apply` takes it.",
       {},
       {},
       kQuestion,
       {{"zctl cluster describe", "how is it set up?"},
        {"zctl cluster describe -o yaml > pair.yaml", "to edit it and apply it"}},
       ClusterDescribe},
      {"cluster configure",
       "change single values of the configuration",
       "Shows what would be another and what that does to the traffic, and changes it on both "
       "nodes or on neither. Asks first if a client would notice.",
       {},
       {CheckInterval(),
        Failback(),
        {"--preferred", "", "NODE", "the node that PREFERRED means (default the present master)"},
        {"--multicast", "", "yes|no", "whether adverts go to VRRP's group", {"yes", "no"}},
        {"--vip-add", "", "ADDRESS/LENGTH[@INTERFACE]", "a VIP that comes", {}, /*many=*/true},
        {"--vip-remove", "", "ADDRESS", "a VIP that goes", {}, /*many=*/true},
        {"--track-add", "", "INTERFACE", "one that must be up for a node to serve", {}, true},
        {"--track-remove", "", "INTERFACE", "one that need not any more", {}, /*many=*/true},
        {"--gateway-add", "", "ADDRESS", "one that must answer for a node to serve", {}, true},
        {"--gateway-remove", "", "ADDRESS", "one that need not any more", {}, /*many=*/true},
        DryRun(),
        Yes(kAcceptDisturbance)},
       kOperation,
       {{"zctl cluster configure --vip-add 192.0.2.11/24", "one more VIP; no connection notices"},
        {"zctl cluster configure --check-interval 200ms --failback KEEP --dry-run",
         "what would that do?"}},
       ClusterConfigure},
      {"cluster apply",
       "make the configuration what a file says",
       "The same with the whole configuration, as `zctl cluster describe -o yaml` prints it. "
       "Refused (exit code 5) if its `generation` is not the present one: somebody else was "
       "faster.",
       {},
       {{"--file", "-f", "FILE", "the configuration; - is standard input"},
        DryRun(),
        Yes(kAcceptDisturbance)},
       kOperation,
       {{"zctl cluster apply -f pair.yaml", "from a file that is kept elsewhere"},
        {"zctl cluster apply -f - --dry-run < pair.yaml", "does it still match?"}},
       ClusterApply},
      {"cluster edit",
       "change the configuration in an editor",
       "The same with the editor that VISUAL or EDITOR names, else vi. Unchanged text does "
       "nothing; text that is refused can be edited again, and is kept.",
       {},
       {DryRun(), Yes(kAcceptDisturbance)},
       kOperation,
       {{"zctl cluster edit", "as one edits a file"}},
       ClusterEdit},
      {"cluster unconfigure",
       "give both nodes back as they were",
       "Ends the pair: both nodes are as they were before it was made. Asks first. With --local "
       "only this node, without telling the other one: for when that is gone.",
       {},
       {{"--local", "", "", "this node alone; the other one is not told"},
        Yes("do not ask; needed without a terminal")},
       kOperation,
       {{"zctl cluster unconfigure", "both nodes"},
        {"zctl cluster unconfigure --local --yes", "the other node is gone for good"}},
       ClusterUnconfigure},
      {"node token",
       "let one join in",
       "Prints a token that lets one `zctl cluster create` in from another node: once, for a "
       "while. It carries this node's fingerprint. The token alone is on standard output.",
       {},
       {{"--lifetime", "", "TIME", "10s to 24h (default 15m)"}},
       kQuestion,
       {{"zctl node token", "on the node that is to be joined"}},
       NodeToken},
      {"node fingerprint",
       "who this node is before it is in a pair",
       "Prints the fingerprint of the key that this node shows to `zctl cluster create`.",
       {},
       {},
       kQuestion,
       {{"zctl node fingerprint", "to compare it with what the other node is shown"}},
       NodeFingerprint},
      {"node unlock",
       "allow joins again after five wrong tries",
       "Five wrong passwords lock this node's bootstrap port; this opens it again.",
       {},
       {},
       kQuestion,
       {{"zctl node unlock", "on the node that was locked"}},
       NodeUnlock},
  };
}

std::vector<Verb> Steering() {
  return {
      {"switchover",
       "hand over from the master to its peer",
       "The master has its peer acknowledge all connections and files, gives way, and waits until "
       "the peer serves. Each step is shown with the time since the start. Asked on the backup, it "
       "is passed on to the master. Refused, with the reasons, unless the peer is ready.",
       {},
       {{"--reason", "", "TEXT", "why, for whoever looks later; at most 256 bytes"},
        {"--leave", "", "",
         "only if this node is the master: else nothing is done, with exit code 0"},
        {"--force", "", "",
         "go on although the peer is not ready; what it does not hold yet is lost. If more fails "
         "there than here, automatic decisions are suspended until `zctl unfreeze`"}},
       kOperation,
       {{"zctl switchover", "let the other node serve"},
        {"zctl switchover --leave && reboot", "this node goes down, whatever its role"},
        {"zctl switchover --force", "even if it is not ready"}},
       Switchover,
       "zctl fleet switchover PAIR"},
      {"maintenance enter",
       "take this node out",
       "This node takes over no more, through reboots too, until `zctl maintenance start`, or "
       "until the time of --for is over: then it comes back by itself, once it is synchronised. A "
       "master hands over first. Refused if nobody else could serve. Of a node that is out already "
       "--for counts from now, and --reason replaces the other one.",
       {},
       Enter(),
       kOperation,
       {{"zctl maintenance enter", "before working on this node"},
        {"zctl maintenance enter --for 2h --reason 'new disk'",
         "tell everybody why, and let it come back by itself"}},
       MaintenanceEnter,
       "zctl fleet maintenance enter PAIR/NODE"},
      {"maintenance start",
       "make this node eligible again",
       "Ends the maintenance of this node: once it holds all that the master holds it may take "
       "over again. It does not take over by that.",
       {},
       Force("become eligible although not synchronised"),
       kOperation,
       {{"zctl maintenance start", "when the work is done"}},
       MaintenanceStart,
       "zctl fleet maintenance start PAIR/NODE"},
      {"freeze",
       "suspend automatic decisions on both nodes",
       "Until `zctl unfreeze`, through restarts and reboots too: no move because of health, no "
       "failback, no return from a maintenance whose time is over. Traffic and replication go on, "
       "operators' orders are carried out, and a master that dies is succeeded still. A node that "
       "cannot be reached learns it when the link is back.",
       {},
       {{"--reason", "", "TEXT", "why, for everybody who looks; at most 256 bytes"}},
       kOperation,
       {{"zctl freeze --reason 'switch upgrade'", "nothing shall move meanwhile"}},
       Freeze},
      {"unfreeze",
       "let the pair decide again",
       "Ends `zctl freeze` on both nodes. What is due is done then.",
       {},
       {},
       kOperation,
       {{"zctl unfreeze", "when the work is done"}},
       Unfreeze},
      {"run",
       "run a command of the catalogue on both nodes",
       "Runs a command on the master and then on the backup, and shows what each printed, its exit "
       "code and its time. What may be run is in the catalogue (`commands` in pair.yaml); without "
       "NAME "
       "it is listed. The exit "
       "code is 0 only if the command's was 0 on both nodes.",
       {{"NAME", "the command, as the catalogue names it"},
        {"KEY=VALUE", "a value for each argument that the command takes", false, true}},
       {},
       kCommand,
       {{"zctl run", "list what may be run"},
        {"zctl run reload-farm name=web", "run it on both nodes"}},
       Run,
       "zctl fleet run PAIR NAME"},
  };
}

std::vector<Verb> OfItself() {
  return {
      {"version",
       "versions of zctl and of the agents",
       "Shows the version of this program, of the agent on this node and of the peer's agent.",
       {},
       {},
       kQuestion,
       {{"zctl version", "do both nodes run the same?"}},
       Version,
       "zctl fleet show PAIR"},
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

std::vector<Verb> Verbs() {
  std::vector<Verb> verbs;
  for (auto* part : {Questions, HistoryVerbs, ConntrackVerbs, LifeCycle, Steering, FleetVerbs,
                     AccessVerbs, OfItself}) {
    for (Verb& verb : part()) verbs.push_back(std::move(verb));
  }
  return verbs;
}

std::vector<Option> GlobalOptions() {
  return {
      {"--output", "-o", "FORMAT", "table (default), json or yaml", {"table", "json", "yaml"}},
      {"--socket", "", "PATH",
       "the agent's socket (default /run/zcluster/agent.sock), or the controller's "
       "(controller.sock)"},
      {"--context", "", "CONTEXT",
       "the pair or fleet to speak to (zctl context list); local is this node, controller the "
       "controller on this machine"},
      {"--timeout", "", "TIME", "wait at most so long for an answer, such as 500ms, 30s, 5m"},
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
                  "steers a pair of zcluster nodes, or a fleet of pairs",
                  "Asks the agent of this node over its socket, or that of another pair over TLS "
                  "(zctl context); the fleet verbs ask a controller likewise. Errors go to "
                  "standard error and say what to do; with -o json "
                  "what goes to standard output is one JSON object.",
                  GlobalOptions(),
                  {{ExitCode::kOk, "done"},
                   {ExitCode::kFailed, "refused, or failed; standard error says why"},
                   {ExitCode::kUsage, "wrong usage; nothing was done"},
                   {ExitCode::kUnreachable, "no agent, or no controller, answers"},
                   {ExitCode::kNotPermitted, "not permitted, or not known to be who asks"},
                   {ExitCode::kConflict,
                    "made from an older generation than the present one; nothing was done"},
                   {ExitCode::kUnconfirmed, "answered with no, or needs --yes; nothing was done"},
                   {ExitCode::kDifferent, "what was compared is not the same"}},
                  Verbs()};
  return *program;
}

}  // namespace zcluster::ctl
