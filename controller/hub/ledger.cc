// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/ledger.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace zcluster::controller {
namespace {

template <typename Map, typename Key>
auto Get(const Map& map, const Key& key) -> const typename Map::mapped_type* {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace

Ledger::Ledger(Store& store, std::function<void(const Change&)> applied)
    : store_(store), applied_(std::move(applied)) {
  const Contents& contents = store.contents();
  for (const PairRecord& pair : contents.pairs) pairs_[pair.name] = pair;
  for (const AgentRecord& agent : contents.agents) agents_[agent.id] = agent;
  for (const TokenRecord& token : contents.tokens) tokens_[token.hash] = token;
  for (const OperatorRecord& one : contents.operators) operators_[one.name] = one;
}

void Ledger::Transact(Decide decide, Store::Done done) {
  if (waiting_.size() >= kMaxWaiting) {
    return done(absl::ResourceExhaustedError(absl::StrCat(
        "the controller's disk is too slow: ", kMaxWaiting, " changes wait for it; try later")));
  }
  waiting_.push_back({std::move(decide), std::move(done)});
  Advance();
}

void Ledger::Advance() {
  while (!busy_ && !waiting_.empty()) {
    Task task = std::move(waiting_.front());
    waiting_.pop_front();
    absl::StatusOr<std::vector<Change>> changes = task.decide();
    if (!changes.ok() || changes->empty()) {
      task.done(changes.status());
      continue;
    }
    busy_ = true;
    store_.Write(*changes, [this, alive = std::weak_ptr<char>(alive_), changes = *changes,
                            done = std::move(task.done)](const absl::Status& written) {
      if (alive.expired()) return;
      busy_ = false;
      if (written.ok()) {
        for (const Change& change : changes) Apply(change);
        done(written);
      } else {
        log::Warning("not_kept", {{"problem", std::string(written.message())}});
        done(absl::UnavailableError(
            absl::StrCat("the controller cannot keep it now: ", written.message())));
      }
      if (!alive.expired()) Advance();
    });
  }
}

void Ledger::Apply(const Change& change) {
  std::visit(Overloaded{
                 [this](const PutPair& put) { pairs_[put.pair.name] = put.pair; },
                 [this](const PutAgent& put) { Put(put.agent); },
                 [this](const PutToken& put) { tokens_[put.token.hash] = put.token; },
                 [this](const PutOperator& put) { operators_[put.admitted.name] = put.admitted; },
                 [this](const DropPair& drop) {
                   pairs_.erase(drop.pair);
                   for (auto it = agents_.begin(); it != agents_.end();)
                     it = it->first.pair == drop.pair ? agents_.erase(it) : std::next(it);
                 },
                 [this](const DropAgent& drop) { agents_.erase(drop.agent); },
                 [this](const DropToken& drop) { tokens_.erase(drop.hash); },
                 [this](const DropOperator& drop) { operators_.erase(drop.name); },
             },
             change);
  applied_(change);
}

void Ledger::Put(const AgentRecord& agent) {
  const auto [place, made] = agents_.try_emplace(agent.id, agent);
  if (made) return;
  // What the store keeps of the events is newer than what the change was made from.
  AgentRecord now = agent;
  now.journal = place->second.journal;
  now.events_taken = place->second.events_taken;
  place->second = std::move(now);
}

void Ledger::Taken(const AgentId& agent, const std::string& journal, uint64_t number) {
  const auto found = agents_.find(agent);
  if (found == agents_.end()) return;
  found->second.journal = journal;
  found->second.events_taken = number;
}

const PairRecord* Ledger::FindPair(const std::string& pair) const { return Get(pairs_, pair); }

const AgentRecord* Ledger::FindAgent(const AgentId& agent) const { return Get(agents_, agent); }

const TokenRecord* Ledger::FindToken(const std::string& hash) const { return Get(tokens_, hash); }

std::vector<const AgentRecord*> Ledger::AgentsOf(const std::string& pair) const {
  std::vector<const AgentRecord*> agents;
  for (auto it = agents_.lower_bound({pair, ""}); it != agents_.end() && it->first.pair == pair;
       ++it)
    agents.push_back(&it->second);
  return agents;
}

}  // namespace zcluster::controller
