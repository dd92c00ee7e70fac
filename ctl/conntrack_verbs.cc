// SPDX-License-Identifier: Apache-2.0
#include "ctl/conntrack_verbs.h"

#include "absl/time/time.h"

namespace zcluster::ctl {
namespace {

// A million flows are read in some seconds, several times over, on a node that has other things to
// do.
constexpr absl::Duration kReadsTables = absl::Minutes(10);

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
  };
}

}  // namespace zcluster::ctl
