// SPDX-License-Identifier: Apache-2.0
#include "ctl/history_verbs.h"

#include "absl/time/time.h"

namespace zcluster::ctl {
namespace {

// What is followed has no end; a past one is read page by page, each with its own bound.
constexpr absl::Duration kNothingToWaitFor = absl::ZeroDuration();
constexpr absl::Duration kQuestion = absl::Seconds(5);

}  // namespace

std::vector<Verb> HistoryVerbs() {
  return {
      {"events",
       "what happened on both nodes, and what happens from now on",
       "Shows the events of both nodes, oldest first: who became master and why, links that were "
       "lost "
       "and came back, what operators asked for. They are on each node's disk, the newest 100,000 "
       "of "
       "them. Merged by this node's clock: what the other node's clock is ahead is measured and "
       "taken "
       "off the order, not off the times shown. If the other node cannot be asked, its own are "
       "missing, "
       "which is said on standard error.",
       {},
       {{"--follow", "", "", "go on with what happens"},
        {"--since", "", "TIME", "events since then, such as 10m ago, or 2026-02-01 12:00 (UTC)"},
        {"--limit", "", "NUMBER", "at most so many of the newest, up to 10000 (default 100)"}},
       kNothingToWaitFor,
       {{"zctl events --since 1h", "what happened in the last hour?"},
        {"zctl events --follow", "look on"},
        {"zctl events -o json | jq -r '.events[] | select(.warning).name'",
         "what an operator should look at, for scripts"}},
       Events,
       "zctl fleet events PAIR"},
      {"explain",
       "why and how the master changed, step by step",
       "Puts the events of both nodes on one timeline, by this node's clock: how far the other "
       "one's is "
       "off is measured, and what is not sure of it shown. Names the cause, or who asked and why; "
       "how "
       "long each step took; how many forwarded connections lived on, and how many broke because "
       "they "
       "ended on the old master itself. Where a node cannot be asked it explains with what there "
       "is, and "
       "says what lacks.",
       {{"WHAT", "what to explain (default failover)", false, false, {"failover"}}},
       {{"--last", "", "NUMBER", "the NUMBER-th change of the master from the end (default 1)"},
        {"--term", "", "TERM", "the change that began that term"}},
       kNothingToWaitFor,
       {{"zctl explain", "what happened at the last change of the master?"},
        {"zctl explain failover --last 2", "and at the one before?"},
        {"zctl explain -o json | jq '.steps[] | {name, took_ms}'", "durations, for scripts"}},
       Explain,
       "zctl fleet events PAIR"},
      {"conflicts",
       "what was changed on this node and overwritten by the other one's",
       "After a split brain one node gives way, and its files become the other's; so do those that "
       "somebody changed by hand on a backup. What was changed here is kept aside, with where each "
       "file lies now, until it is dropped (at most ten sets: the oldest goes first). Each node "
       "has its own.",
       {},
       {{"--drop", "", "ID", "delete that set for good, and show what is left"}},
       kQuestion,
       {{"zctl conflicts", "what became of my change?"},
        {"zctl conflicts --drop 20261126T213015Z", "when all of it has been seen to"}},
       Conflicts},
  };
}

}  // namespace zcluster::ctl
