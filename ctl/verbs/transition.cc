// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/transition.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace zcluster::ctl {
namespace {

// What is told around a promotion, unless another one or an operation's start is nearer.
constexpr absl::Duration kAround = absl::Seconds(60);
constexpr size_t kMaxLines = 200;

const std::string* Field(const v1::Event& event, absl::string_view name) {
  for (const v1::Event::Field& field : event.fields()) {
    if (field.name() == name) return &field.value();
  }
  return nullptr;
}

std::string Text(const v1::Event& event, absl::string_view name) {
  const std::string* value = Field(event, name);
  return value == nullptr ? "" : *value;
}

absl::optional<uint64_t> Number(const v1::Event& event, absl::string_view name) {
  uint64_t number = 0;
  const std::string* value = Field(event, name);
  if (value == nullptr || !absl::SimpleAtoi(*value, &number)) return absl::nullopt;
  return number;
}

absl::optional<absl::Duration> Length(const v1::Event& event, absl::string_view name) {
  absl::Duration length;
  const std::string* value = Field(event, name);
  if (value == nullptr || !absl::ParseDuration(*value, &length)) return absl::nullopt;
  return length;
}

// A master that takes a new term moves nothing.
bool IsTransition(const Happening& happening) {
  return happening.event->name() == "promoted" &&
         Text(*happening.event, "cause") != "peer_knows_a_later_term";
}

using Moments = std::vector<Happening>;

absl::StatusOr<size_t> Find(const Moments& all, const Which& which) {
  uint32_t seen = 0;
  for (size_t i = all.size(); i-- > 0;) {
    if (!IsTransition(all[i])) continue;
    ++seen;
    if (which.term == 0 ? seen == which.last : Number(*all[i].event, "term") == which.term) {
      return i;
    }
  }
  return absl::NotFoundError(
      seen == 0 ? std::string("no change of the master is in what the nodes remember")
                : absl::StrCat("no such change of the master: the nodes remember ", seen,
                               " (zctl events)"));
}

// How long it took from one happening to another; two clocks leave something open.
Stage Between(std::string name, const Happening& begin, const Happening& end, std::string from) {
  Stage stage{.name = std::move(name), .took = end.At() - begin.At(), .from = std::move(from)};
  if (begin.journal == end.journal) return stage;
  for (const NodeJournal* journal : {begin.journal, end.journal}) {
    if (journal->clock) stage.uncertainty += journal->clock->uncertainty;
  }
  return stage;
}

// The latest of that name on `journal`'s node before `end`, not before `begin`; null: none.
const Happening* Before(const Moments& all, size_t begin, size_t end, absl::string_view name,
                        const NodeJournal* on) {
  for (size_t i = end; i-- > begin;) {
    if (all[i].event->name() == name && all[i].journal == on) return &all[i];
  }
  return nullptr;
}

// An operation of the old master's that gave way: its start, and that moment.
struct Plan {
  const Happening* asked = nullptr;
  const Happening* gave_way = nullptr;
};

// Two clocks that are not quite known may turn the order round, so what gave way is looked for
// behind the promotion too, as far as they leave open.
Plan PlanOf(const Moments& all, size_t begin, size_t at, size_t end) {
  const NodeJournal* winner = all[at].journal;
  for (size_t i = std::min(end, at + 20); i-- > begin;) {
    if (all[i].journal == winner) continue;
    // One that was over by then, undone or not, was not the cause.
    if (i < at && all[i].event->name() == "operation_finished") return {};
    if (all[i].event->name() != "gives_way") continue;
    const Happening* asked = Before(all, begin, i, "operation_started", all[i].journal);
    return {asked, &all[i]};
  }
  return {};
}

void ExplainPlanned(const Plan& plan, const Happening& takeover, Transition& result) {
  result.from = plan.gave_way->journal->node;
  if (plan.asked != nullptr) {
    result.kind = Text(*plan.asked->event, "operation");
    result.by = Text(*plan.asked->event, "by");
    result.reason = Text(*plan.asked->event, "reason");
    result.stages.push_back(
        Between("barrier", *plan.asked, *plan.gave_way, "asked for, until the peer held all"));
  } else {
    result.kind = "switchover";
    result.lacks.push_back("who asked for it: the start of the operation is not remembered");
  }
  result.cause = absl::StrCat(result.from, " handed over to ", result.to);
  result.stages.push_back(
      Between("election", *plan.gave_way, takeover,
              "the old master gave way, until keepalived on the new one took over"));
}

// The moment that keepalived on the new master took over, which the promotion all[at] followed;
// that itself if it is not remembered.
size_t TakeoverOf(const Moments& all, size_t begin, size_t at) {
  for (size_t i = at; i-- > begin;) {
    if (all[i].event->name() == "vrrp_changed" && all[i].journal == all[at].journal) {
      return Text(*all[i].event, "to") == "MASTER" ? i : at;
    }
  }
  return at;
}

// What the new master saw of the network when it took over: how long after that; empty: not.
absl::optional<absl::Duration> Seen(const Moments& all, size_t takeover, size_t end,
                                    absl::string_view what) {
  for (size_t i = takeover + 1; i < end; ++i) {
    const v1::Event& event = *all[i].event;
    if (event.name() == "network_seen" && all[i].journal == all[takeover].journal &&
        Text(event, "what") == what) {
      return Length(event, "after");
    }
  }
  return absl::nullopt;
}

void ExplainArrival(const Moments& all, size_t takeover, size_t at, size_t end,
                    Transition& result) {
  result.stages.push_back({.name = "vip",
                           .took = Seen(all, takeover, end, "vips"),
                           .from = "keepalived took over, until every VIP was on its interface"});
  result.stages.push_back({.name = "first packet",
                           .took = Seen(all, takeover, end, "first_packet"),
                           .from = "keepalived took over, until the first packet to a VIP came"});
  result.stages.push_back(Between("decision", all[takeover], all[at],
                                  "keepalived took over, until the brain had decided to stay"));
}

void ExplainUnplanned(const Moments& all, size_t takeover, size_t at, size_t end,
                      Transition& result) {
  const v1::Event& event = *all[at].event;
  result.kind = "failover";
  result.from = Text(event, "from");
  result.cause = Text(event, "cause");
  Stage detection{.name = "detection",
                  .from = "the last advert of the old master, until keepalived took over"};
  if (const auto last = Seen(all, takeover, end, "last_advert")) {
    detection.took = -*last;
  } else {
    // Told once a second: it is so long at most, and mostly less.
    detection.took = Length(event, "peer_heard");
    detection.from = detection.took
                         ? "the last word of the old master over the link, until the promotion"
                         : "the old master was not heard since the agent started";
  }
  result.stages.push_back(std::move(detection));
}

// What came of it: the next end of what the promotion began.
void ExplainEnd(const Moments& all, size_t at, size_t end, Transition& result) {
  for (size_t i = at + 1; i < end; ++i) {
    if (all[i].event->name() != "peer_stands_by" || all[i].journal != all[at].journal) continue;
    result.stages.push_back(
        Between("recovery", all[at], all[i], "the new master, until there was a standby again"));
    return;
  }
  result.stages.push_back({.name = "recovery", .from = "no standby has been seen since"});
}

void CountConnections(const v1::Event& promoted, Transition& result) {
  result.lived = Number(promoted, "flows_held");
  result.broke = Number(promoted, "ended_on_peer");
  if (!result.lived) {
    result.lacks.push_back("how many connections went on: they were not replicated");
  }
  if (!result.broke) {
    result.lacks.push_back(
        "how many connections ended on the old master itself, and broke: it had not told");
  }
}

}  // namespace

absl::StatusOr<Transition> Explain(const std::vector<NodeJournal>& journals, const Which& which) {
  const Moments all = Merge(journals);
  const absl::StatusOr<size_t> found = Find(all, which);
  if (!found.ok()) return found.status();
  const size_t at = *found;
  const Happening& promoted = all[at];

  size_t begin = at;
  while (begin > 0 && !IsTransition(all[begin - 1]) &&
         promoted.At() - all[begin - 1].At() <= kAround) {
    --begin;
  }
  size_t end = at + 1;
  while (end < all.size() && !IsTransition(all[end]) && all[end].At() - promoted.At() <= kAround) {
    ++end;
  }

  Transition result;
  result.term = Number(*promoted.event, "term").value_or(0);
  result.at = promoted.At();
  result.to = promoted.journal->node;
  const size_t takeover = TakeoverOf(all, begin, at);
  const Plan plan = PlanOf(all, begin, at, end);
  if (plan.gave_way != nullptr) {
    ExplainPlanned(plan, all[takeover], result);
    // What was before somebody asked is another story.
    while (plan.asked != nullptr && all[begin].At() < plan.asked->At()) ++begin;
  } else {
    ExplainUnplanned(all, takeover, at, end, result);
  }
  ExplainArrival(all, takeover, at, end, result);
  ExplainEnd(all, at, end, result);
  CountConnections(*promoted.event, result);
  for (const NodeJournal& journal : journals) {
    if (!journal.problem.empty()) {
      result.lacks.push_back(absl::StrCat("what the other node saw: ", journal.problem));
    }
  }
  end = std::min(end, begin + kMaxLines);
  result.timeline.assign(all.begin() + static_cast<std::ptrdiff_t>(begin),
                         all.begin() + static_cast<std::ptrdiff_t>(end));
  return result;
}

}  // namespace zcluster::ctl
