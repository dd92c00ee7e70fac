// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/flow_watch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {

class FlowWatch::Entry : public Loop::Handle {
 public:
  Entry(std::weak_ptr<State> state, std::string pair, uint64_t id)
      : state_(std::move(state)), pair_(std::move(pair)), id_(id) {}
  ~Entry() override {
    const std::shared_ptr<State> state = state_.lock();
    if (state == nullptr) return;
    const uint32_t before = state->MostOf(pair_);
    const auto pair = state->pairs.find(pair_);
    pair->second.erase(id_);
    if (pair->second.empty()) state->pairs.erase(pair);
    state->Tell(pair_, before);
  }

 private:
  const std::weak_ptr<State> state_;
  const std::string pair_;
  const uint64_t id_;
};

FlowWatch::FlowWatch(Ask ask, AgentsOf agents_of)
    : state_(std::make_shared<State>(State{std::move(ask), std::move(agents_of), {}, 0})) {}

uint32_t FlowWatch::State::MostOf(const std::string& pair) const {
  uint32_t most = 0;
  const auto found = pairs.find(pair);
  if (found == pairs.end()) return most;
  for (const auto& [id, watcher] : found->second) most = std::max(most, watcher->max_per_second);
  return most;
}

void FlowWatch::State::Tell(const std::string& pair, uint32_t before) const {
  const uint32_t now = MostOf(pair);
  if (now == before) return;
  for (const AgentId& agent : agents_of(pair)) ask(agent, now);
}

absl::StatusOr<Loop::Registration> FlowWatch::Add(const std::string& pair, uint32_t max_per_second,
                                                  Tell tell) {
  if (watchers() >= kMaxWatchers) {
    return absl::ResourceExhaustedError(
        absl::StrCat(kMaxWatchers, " others look at connections already; end one of them"));
  }
  const uint32_t before = state_->MostOf(pair);
  const uint64_t id = ++state_->last;
  state_->pairs[pair][id] = std::make_shared<Watcher>(Watcher{max_per_second, std::move(tell)});
  state_->Tell(pair, before);
  return Loop::Registration(std::make_unique<Entry>(state_, pair, id));
}

void FlowWatch::Greet(const AgentId& agent) const {
  if (const uint32_t most = state_->MostOf(agent.pair); most > 0) state_->ask(agent, most);
}

void FlowWatch::Seen(const std::string& pair, const v1::FlowsSeen& flows) const {
  const auto found = state_->pairs.find(pair);
  if (found == state_->pairs.end()) return;
  std::vector<std::shared_ptr<Watcher>> all;  // one may leave while it is told
  for (const auto& [id, watcher] : found->second) all.push_back(watcher);
  for (const std::shared_ptr<Watcher>& watcher : all) watcher->tell(flows);
}

size_t FlowWatch::watchers() const {
  size_t count = 0;
  for (const auto& [pair, watchers] : state_->pairs) count += watchers.size();
  return count;
}

}  // namespace zcluster::controller
