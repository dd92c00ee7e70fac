// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "controller/agents/agents.h"
#include "controller/store/store.h"

namespace zcluster::controller {

// A store in memory that answers when the test says so, and fails when the test says so.
class FakeStore : public Store {
 public:
  absl::Status fails;   // every write, while not OK
  bool at_once = true;  // else answers wait for Answer()
  Contents kept;
  std::vector<v1::FleetEvent> all;
  int writes = 0;
  int appends = 0;

  // Gives the next `n` answers that wait.
  void Answer(size_t n = 1) {
    for (; n > 0 && !answers_.empty(); --n) {
      const std::function<void()> answer = std::move(answers_.front());
      answers_.pop_front();
      answer();
    }
  }
  size_t waiting() const { return answers_.size(); }

  const Contents& contents() const override { return kept; }
  void Write(std::vector<Change> changes, Done done) override {
    ++writes;
    Later([this, changes = std::move(changes), done = std::move(done)] {
      if (!fails.ok()) return done(fails);
      for (const Change& change : changes) Apply(change);
      done(absl::OkStatus());
    });
  }
  void Append(Batch batch, std::function<void(absl::StatusOr<Appended>)> done) override {
    ++appends;
    Later([this, batch = std::move(batch), done = std::move(done)] {
      if (!fails.ok()) return done(fails);
      done(Kept(batch));
    });
  }
  void Read(Query query,
            std::function<void(absl::StatusOr<std::vector<v1::FleetEvent>>)> answer) override {
    std::vector<v1::FleetEvent> found;
    for (const v1::FleetEvent& event : all) {
      const bool meant = query.pairs.empty() || std::find(query.pairs.begin(), query.pairs.end(),
                                                          event.pair()) != query.pairs.end();
      if (meant && event.number() > query.after && (!query.warnings || event.event().warning()))
        found.push_back(event);
    }
    if (found.size() > query.limit) {
      if (query.newest) {
        found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(query.limit));
      } else {
        found.resize(query.limit);
      }
    }
    Later([found, answer = std::move(answer)] { answer(found); });
  }
  uint64_t last_event() const override { return all.empty() ? 0 : all.back().number(); }
  uint64_t events() const override { return all.size(); }
  const std::string& problem() const override { return problem_; }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const v1::FleetEvent& event : all) names.push_back(event.event().name());
    return names;
  }
  AgentRecord* Agent(const AgentId& id) {
    for (AgentRecord& agent : kept.agents) {
      if (agent.id == id) return &agent;
    }
    return nullptr;
  }

 private:
  void Later(std::function<void()> answer) {
    if (at_once) return answer();
    answers_.push_back(std::move(answer));
  }

  absl::StatusOr<Appended> Kept(const Batch& batch) {
    Appended appended;
    const bool own = batch.agent.node.empty();
    AgentRecord* agent = Agent(batch.agent);
    if (!own && agent == nullptr) return absl::NotFoundError("no such agent");
    if (!own && agent->journal != batch.journal) {
      agent->journal = batch.journal;
      agent->events_taken = 0;
    }
    if (!own && batch.events.front().number() > agent->events_taken + 1)
      appended.lost = batch.events.front().number() - agent->events_taken - 1;
    for (const v1::Event& event : batch.events) {
      if (!own && event.number() <= agent->events_taken) continue;
      v1::FleetEvent kept_event;
      kept_event.set_number(++last_number_);
      kept_event.set_pair(batch.agent.pair);
      kept_event.set_node(batch.agent.node);
      *kept_event.mutable_event() = event;
      all.push_back(kept_event);
      appended.events.push_back(kept_event);
      if (!own) agent->events_taken = event.number();
    }
    if (!own) appended.taken = agent->events_taken;
    return appended;
  }

  template <typename List, typename Same>
  static void Put(List& list, const typename List::value_type& value, Same same) {
    const auto found = std::find_if(list.begin(), list.end(), same);
    if (found == list.end()) {
      list.push_back(value);
    } else {
      *found = value;
    }
  }
  void Apply(const Change& change) {
    if (const auto* pair = std::get_if<PutPair>(&change)) {
      Put(kept.pairs, pair->pair, [&](const auto& p) { return p.name == pair->pair.name; });
    } else if (const auto* put = std::get_if<PutAgent>(&change)) {
      AgentRecord record = put->agent;
      if (const AgentRecord* known = Agent(record.id)) {
        record.journal = known->journal;
        record.events_taken = known->events_taken;
      }
      Put(kept.agents, record, [&](const auto& a) { return a.id == record.id; });
    } else if (const auto* token = std::get_if<PutToken>(&change)) {
      Put(kept.tokens, token->token, [&](const auto& t) { return t.hash == token->token.hash; });
    } else if (const auto* one = std::get_if<PutOperator>(&change)) {
      Put(kept.operators, one->admitted,
          [&](const auto& o) { return o.name == one->admitted.name; });
    } else if (const auto* no_pair = std::get_if<DropPair>(&change)) {
      Erase(kept.pairs, [&](const auto& p) { return p.name == no_pair->pair; });
      Erase(kept.agents, [&](const auto& a) { return a.id.pair == no_pair->pair; });
    } else if (const auto* no_agent = std::get_if<DropAgent>(&change)) {
      Erase(kept.agents, [&](const auto& a) { return a.id == no_agent->agent; });
    } else if (const auto* no_token = std::get_if<DropToken>(&change)) {
      Erase(kept.tokens, [&](const auto& t) { return t.hash == no_token->hash; });
    } else if (const auto* nobody = std::get_if<DropOperator>(&change)) {
      Erase(kept.operators, [&](const auto& o) { return o.name == nobody->name; });
    }
  }
  template <typename List, typename Meant>
  static void Erase(List& list, Meant meant) {
    list.erase(std::remove_if(list.begin(), list.end(), meant), list.end());
  }

  uint64_t last_number_ = 0;
  std::string problem_;
  std::deque<std::function<void()>> answers_;
};

// The streams of agents: remembers what went where, and plays the agents' part when told.
class FakeAgents : public Agents {
 public:
  std::set<AgentId> there;
  std::map<AgentId, std::vector<v1::ControllerMessage>> sent;
  std::vector<std::pair<AgentId, absl::Status>> ended;
  struct Asked {
    AgentId agent;
    v1::FleetRequest request;
    Progress progress;
  };
  std::vector<Asked> asked;
  AgentListener* listener = nullptr;  // told when a stream is ended

  int port() const override { return 0; }
  size_t connected() const override { return there.size(); }
  bool IsConnected(const AgentId& agent) const override { return there.count(agent) > 0; }
  void Send(const AgentId& agent, v1::ControllerMessage message) override {
    if (IsConnected(agent)) sent[agent].push_back(std::move(message));
  }
  void SendToAll(const v1::ControllerMessage& message) override {
    for (const AgentId& agent : there) sent[agent].push_back(message);
  }
  void Ask(const AgentId& agent, v1::FleetRequest request, Progress progress) override {
    asked.push_back({agent, std::move(request), std::move(progress)});
  }
  void Disconnect(const AgentId& agent, const absl::Status& why) override {
    if (there.erase(agent) == 0) return;
    ended.emplace_back(agent, why);
    if (listener != nullptr) listener->OnGone(agent, std::string(why.message()));
  }
  Counters counters() const override { return {}; }
};

}  // namespace zcluster::controller
