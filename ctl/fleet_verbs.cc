// SPDX-License-Identifier: Apache-2.0
#include "ctl/fleet_verbs.h"

#include <string>

namespace zcluster::ctl {
namespace {

// A question is answered at once or not at all; of many pairs page by page.
constexpr absl::Duration kQuestion = absl::Seconds(10);
// One pair's operation, and one pair's command, as without a controller.
constexpr absl::Duration kOperation = absl::Minutes(10);
constexpr absl::Duration kCommand = absl::Minutes(125);
constexpr absl::Duration kNothingToWaitFor = absl::ZeroDuration();

Option Selector() {
  return {"--selector", "", "SELECTOR",
          "the pairs that match, such as env=prod,tier!=test,site in (a b),status=RED"};
}

Option Force(const std::string& summary) { return {"--force", "", "", summary}; }

Option Yes() { return {"--yes", "", "", "do not ask; needed with --selector without a terminal"}; }

Option NodeOfEach() {
  return {"--node", "", "NODE",
          "with --selector: the node of each pair, by its name, or MASTER, BACKUP, MAINTENANCE"};
}

std::vector<Verb> Looking() {
  return {
      {"fleet list",
       "the pairs of a fleet, a line each",
       "Lists the pairs that a controller sees: the worst of both nodes' colours, who is master, "
       "whether a failover right now would succeed, how many connections are replicated, and why.",
       {},
       {Selector(),
        {"--sort", "", "ORDER",
         "name (default), status (worst first), flows, term, master, label:KEY; with - before it "
         "reversed (--sort=-flows)"},
        {"--limit", "", "NUMBER", "at most so many (default all)"}},
       kQuestion,
       {{"zctl fleet list --sort status", "is all well?"},
        {"zctl fleet list --selector 'env=prod,status!=GREEN' -o json | jq -r '.pairs[].name'",
         "for scripts"}},
       FleetList},
      {"fleet show",
       "all that is known of one pair",
       "Shows a pair: its nodes, what each agent sees (readiness, VIPs, link, connections, roots), "
       "its certificate, and the last events.",
       {{"PAIR", "its name in the fleet", true}},
       {},
       kQuestion,
       {{"zctl fleet show web-1", "why is it RED?"},
        {"zctl fleet show web-1 -o json | jq '.views[].status.not_ready'", "for scripts"}},
       FleetShow},
      {"fleet watch",
       "the pairs, again at each change",
       "Shows the pairs, at once and at each change: in place on a terminal, the worst first, as "
       "many as fit; else a line for each pair that is another (with -o json an object a line, "
       "with -o yaml a document). Numbers alone are no change. Waits for a controller that "
       "restarts. Ends on Ctrl-C, when nobody reads any more, or after --timeout.",
       {},
       {Selector()},
       kNothingToWaitFor,
       {{"zctl fleet watch", "look on"},
        {"zctl fleet watch --selector env=prod -o json | jq -c '.pairs[]'", "for scripts"}},
       FleetWatch},
      {"fleet events",
       "what happened, and what happens",
       "Shows events of the fleet, oldest first, a line each: when (by the node's clock), which "
       "node, what, and its evidence. With --follow it goes on with what comes; after a controller "
       "was away it goes on behind the last one that was seen: none is lost, none comes twice. "
       "With -o json one object, with --follow a line an event.",
       {{"PAIR", "of these pairs alone", false, true}},
       {Selector(),
        {"--since", "", "TIME",
         "what came later: a time (2026-02-01 12:00, in UTC) or how long ago (30m, 24h)"},
        {"--after", "", "NUMBER", "what has a greater number in the fleet's history"},
        {"--limit", "", "NUMBER", "the newest so many of what is there, up to 10000 (default 100)"},
        {"--follow", "", "", "go on with what comes"},
        {"--warnings", "", "", "only what an operator should act on"}},
       kNothingToWaitFor,
       {{"zctl fleet events --warnings --since 24h", "what went wrong today?"},
        {"zctl fleet events web-1 --follow", "look on while it fails over"}},
       FleetEvents},
      {"fleet flows",
       "a pair's connections as they come and go",
       "Shows changes of a pair's connections: when, the protocol, the connection as the client "
       "opened it, behind => what NAT makes of it, and TCP's state. A sample: what exceeds the "
       "rate is counted and not shown. Ends on Ctrl-C, when nobody reads any more, or after "
       "--timeout.",
       {{"PAIR", "its name in the fleet", true}},
       {{"--rate", "", "NUMBER", "changes a second at most, 1 to 1000 (default 100)"}},
       kNothingToWaitFor,
       {{"zctl fleet flows web-1", "who connects?"},
        {"zctl fleet flows web-1 --rate 1000 --timeout 10s -o json | jq -r .original.source",
         "for scripts"}},
       FleetFlows},
  };
}

std::vector<Verb> Books() {
  return {
      {"fleet token",
       "let a node into the fleet",
       "Prints a token that enrols one node: once, for a while. It carries the controller's "
       "fingerprint. The token alone is on standard output; what to do with it on standard error.",
       {},
       {{"--pair", "", "NAME", "how the fleet shall call the pair (default as it calls itself)"},
        {"--label", "", "KEY=VALUE", "a label that the pair gets", {}, /*many=*/true},
        {"--lifetime", "", "TIME", "10s to 720h (default 1h)"}},
       kQuestion,
       {{"zctl fleet token", "for one node; the other one wants its own"},
        {"zctl fleet token --pair web-1 --label env=prod | ssh lb1 'umask 077; cat > "
         "/etc/zcluster/controller.token'",
         "straight to the node"}},
       FleetToken},
      {"fleet label",
       "what a pair is found by",
       "Sets labels of a pair (KEY=VALUE) and removes them (KEY-), and shows all that it has.",
       {{"PAIR", "its name in the fleet", true},
        {"KEY=VALUE", "sets the label; KEY- removes it", true, true}},
       {},
       kQuestion,
       {{"zctl fleet label web-1 env=prod tier-", "sets one and removes another"}},
       FleetLabel},
      {"fleet forget",
       "let a pair, or a node of it, in no longer",
       "Takes a pair, or one node of it, out of the fleet. Asks first. The pair itself goes on as "
       "it is; its events stay.",
       {{"PAIR[/NODE]", "the pair, or one node of it", true}},
       {{"--yes", "", "", "do not ask; needed without a terminal"}},
       kQuestion,
       {{"zctl fleet forget web-1", "the whole pair"},
        {"zctl fleet forget web-1/lb2 --yes", "a node that was replaced"}},
       FleetForget},
  };
}

std::vector<Verb> Steering() {
  return {
      {"fleet switchover",
       "hand over from the master to its peer, in each of some pairs",
       "As `zctl switchover` on a node, in one pair after the other. Stops at the first failure, "
       "says who was not asked any more, and ends with the failure's exit code. With --selector it "
       "shows what matches and asks first.",
       {{"PAIR", "their names in the fleet", false, true}},
       {Selector(),
        {"--reason", "", "TEXT", "why, for whoever looks later; at most 256 bytes"},
        Force("go on although a peer is not ready; what it does not hold yet is lost"),
        Yes()},
       kOperation,
       {{"zctl fleet switchover web-1 web-2", "one after the other"},
        {"zctl fleet switchover --selector env=test --yes", "all that match"}},
       FleetSwitchover},
      {"fleet maintenance enter",
       "take nodes out",
       "As `zctl maintenance enter` on a node, on one node after the other. Stops at the first "
       "failure. A master hands over first.",
       {{"PAIR/NODE", "the nodes, such as web-1/lb1", false, true}},
       {Selector(),
        NodeOfEach(),
        {"--for", "", "TIME", "how long, 1s to 8760h; default until `maintenance start`"},
        {"--reason", "", "TEXT", "why, for everybody who looks; at most 256 bytes"},
        Force("go on although nobody else can serve, or the peer is not ready"),
        Yes()},
       kOperation,
       {{"zctl fleet maintenance enter web-1/lb1 --for 2h --reason 'new disk'",
         "before working on it"},
        {"zctl fleet maintenance enter --selector site=a --node BACKUP", "the backups of a site"}},
       FleetMaintenanceEnter},
      {"fleet maintenance start",
       "make nodes eligible again",
       "As `zctl maintenance start` on a node, on one node after the other. Stops at the first "
       "failure.",
       {{"PAIR/NODE", "the nodes, such as web-1/lb1", false, true}},
       {Selector(), NodeOfEach(), Force("become eligible although not synchronised"), Yes()},
       kOperation,
       {{"zctl fleet maintenance start web-1/lb1", "when the work is done"},
        {"zctl fleet maintenance start --selector site=a --node MAINTENANCE", "all that are out"}},
       FleetMaintenanceStart},
      {"fleet run",
       "run a command of the catalogue, in each of some pairs",
       "As `zctl run` on a node, in one pair after the other. Stops at the first pair where it "
       "fails on a node. With --selector the first word is the command already.",
       {{"PAIR", "the pair, or several joined by commas; none with --selector"},
        {"NAME", "the command, as the pair's catalogue names it"},
        {"KEY=VALUE", "a value for each argument that the command takes", false, true}},
       {Selector(), Yes()},
       kCommand,
       {{"zctl fleet run web-1,web-2 reload-farm name=web", "in two pairs"},
        {"zctl fleet run --selector env=prod reload-farm name=web", "in all that match"}},
       FleetRun},
  };
}

}  // namespace

std::vector<Verb> FleetVerbs() {
  std::vector<Verb> verbs;
  for (auto* part : {Looking, Books, Steering}) {
    for (Verb& verb : part()) verbs.push_back(std::move(verb));
  }
  return verbs;
}

}  // namespace zcluster::ctl
