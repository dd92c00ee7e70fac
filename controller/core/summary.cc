// SPDX-License-Identifier: Apache-2.0
#include "controller/core/summary.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "controller/core/order.h"

namespace zcluster::controller {
namespace {

Word WordOf(const v1::Node& node) {
  return {node.hostname(), node.role(), node.status(), node.message(), node.ip()};
}

// The agent that can say how `node` is, other than its own: the peer's, if it speaks.
const AgentView* Witness(const std::string& node, const AgentViews& agents) {
  for (const auto& [name, agent] : agents) {
    if (name != node && agent.Speaks() && agent.peer.node == node) return &agent;
  }
  return nullptr;
}

std::string WhyAway(const AgentView& agent) {
  if (agent.connected) return "its agent is connected and has not reported yet";
  if (agent.away.empty()) return "its agent has not connected since the controller started";
  return absl::StrCat("its agent is away: ", agent.away);
}

void Show(const Word& word, v1::FleetNode& node) {
  node.set_role(word.role);
  node.set_status(word.status);
  node.set_message(word.message);
  node.set_ip(word.ip);
}

// `why` says why the node does not speak for itself.
void ShowByPeer(const AgentView& witness, const std::string& why, v1::FleetNode& node) {
  Show(witness.peer, node);
  node.set_message(absl::StrCat(why, "; by the word of ", witness.own.node, ": ",
                                RoleName(witness.peer.role), ", ", witness.peer.message));
}

v1::FleetNode ShowEnrolled(const std::string& name, const AgentView& agent,
                           const AgentViews& agents) {
  v1::FleetNode node;
  node.set_name(name);
  node.set_connected(agent.connected);
  node.set_version(agent.version);
  node.set_allow(agent.allow);
  if (agent.Speaks()) {
    Show(agent.own, node);
    return node;
  }
  if (const AgentView* witness = Witness(name, agents)) {
    ShowByPeer(*witness, WhyAway(agent), node);
    if (node.status() == v1::STATUS_GREEN) node.set_status(v1::STATUS_GREY);
  } else {
    node.set_status(v1::STATUS_GREY);
    node.set_message(WhyAway(agent));
    node.set_ip(agent.own.ip);
  }
  return node;
}

std::vector<v1::FleetNode> Nodes(const AgentViews& agents) {
  std::vector<v1::FleetNode> nodes;
  for (const auto& [name, agent] : agents) {
    nodes.push_back(ShowEnrolled(name, agent, agents));
    if (!agent.Speaks() || agent.peer.node.empty() || agents.count(agent.peer.node) > 0) continue;
    v1::FleetNode stranger;
    stranger.set_name(agent.peer.node);
    ShowByPeer(agent, "it is not enrolled", stranger);
    nodes.push_back(std::move(stranger));
  }
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const auto& a, const auto& b) { return a.name() < b.name(); });
  // Two agents may both name a third that is not enrolled.
  nodes.erase(std::unique(nodes.begin(), nodes.end(),
                          [](const auto& a, const auto& b) { return a.name() == b.name(); }),
              nodes.end());
  return nodes;
}

// Colour and sentence of the pair as a whole.
void Judge(const std::vector<const v1::FleetNode*>& masters, v1::PairSummary& pair) {
  if (pair.nodes().empty()) {
    pair.set_status(v1::STATUS_GREY);
    return pair.set_message("no node of it is enrolled");
  }
  const bool connected = std::any_of(pair.nodes().begin(), pair.nodes().end(),
                                     [](const auto& node) { return node.connected(); });
  const auto& worst = *std::min_element(
      pair.nodes().begin(), pair.nodes().end(),
      [](const auto& a, const auto& b) { return Badness(a.status()) < Badness(b.status()); });
  pair.set_status(connected ? worst.status() : v1::STATUS_GREY);
  if (masters.size() > 1) {
    pair.set_status(v1::STATUS_RED);
    pair.set_message(absl::StrCat(
        absl::StrJoin(masters, " and ",
                      [](std::string* out, const auto* node) { out->append(node->name()); }),
        " are both MASTER"));
  } else if (!connected) {
    pair.set_message(absl::StrCat("no agent is connected; ", worst.name(), ": ", worst.message()));
  } else if (worst.status() != v1::STATUS_GREEN) {
    pair.set_message(absl::StrCat(worst.name(), ": ", worst.message()));
  } else if (masters.empty()) {
    pair.set_message("no node is known to be master");
  } else {
    pair.set_message(absl::StrCat(masters.front()->name(), ": ", masters.front()->message()));
  }
}

bool Same(const v1::FleetNode& a, const v1::FleetNode& b) {
  return a.name() == b.name() && a.role() == b.role() && a.status() == b.status() &&
         a.message() == b.message() && a.ip() == b.ip() && a.connected() == b.connected() &&
         a.version() == b.version() && a.allow() == b.allow();
}

}  // namespace

void AgentView::Take(const v1::AgentReport& said) {
  const v1::GetStatusResponse& status = said.status();
  reported = true;
  own = WordOf(status.nodes(0));
  peer = status.nodes_size() > 1 ? WordOf(status.nodes(1)) : Word{};
  term = status.term();
  ready = status.ready();
  flows = status.conntrack().flows();
  generation = status.nodes(0).generation();
  report = status.SerializeAsString();
}

v1::PairSummary Summarise(const std::string& name, const std::map<std::string, std::string>& labels,
                          const AgentViews& agents) {
  v1::PairSummary pair;
  pair.set_name(name);
  pair.mutable_labels()->insert(labels.begin(), labels.end());
  for (v1::FleetNode& node : Nodes(agents)) *pair.add_nodes() = std::move(node);
  std::vector<const v1::FleetNode*> masters;
  for (const v1::FleetNode& node : pair.nodes()) {
    if (node.role() == v1::ROLE_MASTER) masters.push_back(&node);
  }
  Judge(masters, pair);
  if (!masters.empty()) pair.set_master(masters.front()->name());
  for (const auto& [node, agent] : agents) {
    pair.set_term(std::max(pair.term(), agent.term));
    pair.set_generation(std::max(pair.generation(), agent.generation));
    if (node != pair.master() || !agent.Speaks()) continue;
    pair.set_ready(agent.ready && masters.size() == 1);
    pair.set_flows(agent.flows);
  }
  return pair;
}

bool SameButCounters(const v1::PairSummary& a, const v1::PairSummary& b) {
  return a.name() == b.name() && a.status() == b.status() && a.message() == b.message() &&
         a.master() == b.master() && a.ready() == b.ready() && a.term() == b.term() &&
         a.generation() == b.generation() &&
         std::equal(a.nodes().begin(), a.nodes().end(), b.nodes().begin(), b.nodes().end(), Same) &&
         a.labels().size() == b.labels().size() &&
         std::all_of(a.labels().begin(), a.labels().end(), [&b](const auto& label) {
           const auto other = b.labels().find(label.first);
           return other != b.labels().end() && other->second == label.second;
         });
}

std::string RoleName(v1::Role role) {
  if (role == v1::ROLE_UNSPECIFIED || !v1::Role_IsValid(role)) return "UNKNOWN";
  return std::string(absl::StripPrefix(v1::Role_Name(role), "ROLE_"));
}

}  // namespace zcluster::controller
