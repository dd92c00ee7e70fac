// SPDX-License-Identifier: Apache-2.0
#include "ctl/conntrack_verbs.h"

#include "absl/time/time.h"
#include "ctl/verbs/flow_filter.h"

namespace zcluster::ctl {
namespace {

// A million flows are read in some seconds, several times over, on a node that has other things to
// do.
constexpr absl::Duration kReadsTables = absl::Minutes(10);
// What is looked on at has no end.
constexpr absl::Duration kNothingToWaitFor = absl::ZeroDuration();

std::vector<Option> Filtered(std::vector<Option> others) {
  std::vector<Option> options = FlowFilterOptions();
  options.insert(options.end(), others.begin(), others.end());
  return options;
}

}  // namespace

std::vector<Verb> ConntrackVerbs() {
  return {
      {"conntrack verify",
       "are the connections in both kernels the same?",
       "Compares the two kernels' connection tables exactly, on either node, while the traffic "
       "goes "
       "on: by sums first, then flow by flow where these differ. What differs is looked at again, "
       "and shown only if nothing of it changed between two looks, although the backup had "
       "acknowledged all that it was sent; what changed meanwhile is counted as in motion. "
       "Compared "
       "are address, port, NAT, zone, status, mark and TCP's state; not timeouts, nor what packets "
       "alone change. Connections that end on the backup itself, and the agents' own, are never "
       "replicated and counted apart. Ends with exit code 7 if the tables differ.",
       {},
       {{"--limit", "", "NUMBER", "show at most so many flows, up to 1000 (default 20)"},
        {"--repair", "", "",
         "if they differ, make the backup's table what the master's is (a snapshot), and compare "
         "again"}},
       kReadsTables,
       {{"zctl conntrack verify", "would each connection live on?"},
        {"zctl conntrack verify --repair", "and see to it"},
        {"zctl conntrack verify -o json | jq .equal", "for scripts"}},
       ConntrackVerify},
      {"conntrack stats",
       "this node's connections, counted, and what replication does",
       "Reads this node's connection table, and counts its connections by protocol, state and "
       "class: "
       "forwarded through the node as they are, translated (forwarded with NAT, as through a VIP), "
       "local (one end is the node itself), own (the agents' link, loopback). Then what "
       "replication "
       "does on this node: what is replicated, refused, missing on the backup, and gave way to the "
       "master's; for how long the backup has held what it was sent; snapshots, overruns, memory.",
       {},
       {},
       kReadsTables,
       {{"zctl conntrack stats", "what goes through this node?"},
        {"zctl conntrack stats -o json | jq .replication.lag_ms", "for scripts"}},
       ConntrackStats},
      {"conntrack list",
       "the connections that this node's kernel holds",
       "Shows the connections of this node's kernel, one a line (with -o json an object a line, "
       "with "
       "-o yaml a document each): as the client opened it, behind => what NAT makes of it, mark "
       "and "
       "zone where there are some, its state, and how long it lives on if nothing comes. On a "
       "backup "
       "that is up to 90 days: it holds what it was sent until the master ends it. Several filters "
       "must all hold.",
       {},
       Filtered({{"--limit", "", "NUMBER", "at most so many, up to 1000000 (default 1000)"}}),
       kReadsTables,
       {{"zctl conntrack list --address 198.51.100.7", "what has this client open?"},
        {"zctl conntrack list --nat --port 443 --state ESTABLISHED", "what goes on at the VIP?"},
        {"zctl conntrack list --class local", "what would break at a failover?"}},
       ConntrackList},
      {"conntrack top",
       "who has the most connections, live",
       "Groups this node's connections by client (the address that opened them), backend (who "
       "answers, behind NAT) or service (what was called, such as a VIP), the largest first: how "
       "many "
       "there are, and how many new ones a second. Drawn anew in place on a terminal; else one "
       "table, "
       "after two looks. Each look reads the whole table, and takes its share of time at most: so "
       "all "
       "that is there counts, on a backup too, but not what came and went between two looks.",
       {},
       Filtered({{"--by",
                  "",
                  "WHAT",
                  "client (default), backend or service",
                  {"client", "backend", "service"}},
                 {"--every", "", "TIME", "from one look to the next, 1s to 60s (default 2s)"},
                 {"--limit", "", "NUMBER", "at most so many rows, up to 1000 (default 20)"}}),
       kNothingToWaitFor,
       {{"zctl conntrack top", "who opens so many?"},
        {"zctl conntrack top --by backend --port 443", "is the load spread?"},
        {"zctl conntrack top --by service -o json", "for scripts"}},
       ConntrackTop},
  };
}

}  // namespace zcluster::ctl
