// SPDX-License-Identifier: Apache-2.0
#include "controller/core/fleet.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace zcluster::controller {
namespace {

void SetDuration(absl::Duration value, google::protobuf::Duration& proto) {
  // Whole milliseconds: nobody reads more.
  const int64_t ms = std::max<int64_t>(0, absl::ToInt64Milliseconds(value));
  proto.set_seconds(ms / 1000);
  proto.set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
}

}  // namespace

void Fleet::PutPair(const std::string& name, std::map<std::string, std::string> labels) {
  pairs_[name].labels = std::move(labels);
  Refresh(name, absl::InfinitePast());
}

void Fleet::DropPair(const std::string& name) {
  const auto found = pairs_.find(name);
  if (found == pairs_.end()) return;
  agents_ -= found->second.agents.size();
  pairs_.erase(found);
  changed_.insert(name);
}

void Fleet::PutAgent(const AgentId& agent) {
  const auto found = pairs_.find(agent.pair);
  if (found == pairs_.end()) return;
  if (found->second.agents.try_emplace(agent.node).second) ++agents_;
  Refresh(agent.pair, absl::InfinitePast());
}

void Fleet::DropAgent(const AgentId& agent) {
  const auto found = pairs_.find(agent.pair);
  if (found == pairs_.end()) return;
  agents_ -= found->second.agents.erase(agent.node);
  Refresh(agent.pair, absl::InfinitePast());
}

AgentView* Fleet::Agent(const AgentId& agent) {
  return const_cast<AgentView*>(std::as_const(*this).FindAgent(agent));
}

const AgentView* Fleet::FindAgent(const AgentId& agent) const {
  const auto pair = pairs_.find(agent.pair);
  if (pair == pairs_.end()) return nullptr;
  const auto found = pair->second.agents.find(agent.node);
  return found == pair->second.agents.end() ? nullptr : &found->second;
}

void Fleet::Connected(const AgentId& agent, const v1::AgentHello& hello, absl::Time now) {
  AgentView* view = Agent(agent);
  if (view == nullptr) return;
  view->connected = true;
  // What it said before it went away may be long over.
  view->reported = false;
  view->heard = now;
  view->version = hello.version();
  view->allow = hello.allow();
  Refresh(agent.pair, now);
}

void Fleet::Heard(const AgentId& agent, absl::Time now) {
  if (AgentView* view = Agent(agent)) view->heard = now;
}

void Fleet::Report(const AgentId& agent, const v1::AgentReport& report, absl::Time now) {
  AgentView* view = Agent(agent);
  if (view == nullptr) return;
  view->heard = now;
  view->reported_at = now;
  view->Take(report);
  Refresh(agent.pair, now);
}

void Fleet::Gone(const AgentId& agent, const std::string& reason, absl::Time now) {
  AgentView* view = Agent(agent);
  if (view == nullptr) return;
  view->connected = false;
  view->away = reason;
  Refresh(agent.pair, now);
}

void Fleet::Refresh(const std::string& name, absl::Time now) {
  Pair& pair = pairs_.at(name);
  v1::PairSummary summary = Summarise(name, pair.labels, pair.agents);
  if (!SameButCounters(summary, pair.summary)) {
    changed_.insert(name);
    pair.counters_told = now;
    pair.counters_due = false;
  } else {
    pair.counters_due |= summary.flows() != pair.summary.flows();
    if (pair.counters_due && now - pair.counters_told >= kCountersEvery) {
      changed_.insert(name);
      pair.counters_told = now;
      pair.counters_due = false;
    }
  }
  pair.summary = std::move(summary);
}

const v1::PairSummary* Fleet::Find(const std::string& pair) const {
  const auto found = pairs_.find(pair);
  return found == pairs_.end() ? nullptr : &found->second.summary;
}

std::vector<const v1::PairSummary*> Fleet::Matching(const Selector& selector) const {
  std::vector<const v1::PairSummary*> matching;
  for (const auto& [name, pair] : pairs_) {
    if (selector.Matches(pair.summary)) matching.push_back(&pair.summary);
  }
  return matching;
}

v1::PairSummary Fleet::Show(const v1::PairSummary& pair, absl::Time now) const {
  v1::PairSummary shown = pair;
  for (v1::FleetNode& node : *shown.mutable_nodes()) {
    const AgentView* agent = FindAgent({pair.name(), node.name()});
    if (agent != nullptr && agent->heard != absl::InfinitePast())
      SetDuration(now - agent->heard, *node.mutable_age());
  }
  return shown;
}

std::set<std::string> Fleet::TakeChanged() { return std::exchange(changed_, {}); }

}  // namespace zcluster::controller
