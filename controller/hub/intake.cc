// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/intake.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/log.h"

namespace zcluster::controller {
namespace {

// Of the controller's own events: kMaxBytes binds first.
constexpr size_t kMaxOwn = 100'000;

size_t SizeOf(const Store::Batch& batch) {
  size_t size = sizeof(Store::Batch);
  for (const v1::Event& event : batch.events) size += event.SpaceUsedLong();
  return size;
}

const AgentId& Ourselves() {
  static const AgentId* const id = new AgentId();
  return *id;
}

}  // namespace

Intake::Intake(Loop& loop, Store& store, Told told)
    : loop_(loop), store_(store), told_(std::move(told)) {
  sources_[Ourselves()].life = ++lives_;
}

Intake::~Intake() = default;

void Intake::Begin(const AgentId& agent, std::string journal) {
  End(agent);
  Source& source = sources_[agent];
  source.journal = std::move(journal);
  source.life = ++lives_;
}

void Intake::End(const AgentId& agent) {
  const auto found = sources_.find(agent);
  if (found == sources_.end()) return;
  Drop(found->second);
  sources_.erase(found);
  behind_.erase(agent);
}

void Intake::Drop(Source& source) {
  for (const Store::Batch& batch : source.waiting) bytes_ -= SizeOf(batch);
  source.waiting.clear();
}

bool Intake::Keep(Source& source, Store::Batch batch, size_t most) {
  const size_t size = SizeOf(batch);
  if (source.waiting.size() >= most || bytes_ + size > kMaxBytes) return false;
  bytes_ += size;
  source.waiting.push_back(std::move(batch));
  return true;
}

void Intake::Take(const AgentId& agent, v1::EventBatch batch) {
  const auto found = sources_.find(agent);
  if (found == sources_.end() || found->second.behind) return;
  Store::Batch kept{agent, found->second.journal, {}, absl::Now()};
  for (v1::Event& event : *batch.mutable_events()) kept.events.push_back(std::move(event));
  if (Keep(found->second, std::move(kept), kMaxBatches)) return Advance(agent);
  found->second.behind = true;
  behind_.insert(agent);
  Tick();
}

void Intake::Own(const std::string& pair, v1::Event event) {
  const std::string name = event.name();
  Store::Batch batch{{pair, ""}, "", {std::move(event)}, absl::Now()};
  if (!Keep(sources_[Ourselves()], std::move(batch), kMaxOwn)) {
    log::Warning("event_lost", {{"pair", pair}, {"event", name}});
    return;
  }
  Advance(Ourselves());
}

void Intake::Advance(const AgentId& agent) {
  const auto found = sources_.find(agent);
  if (stalled_ || found == sources_.end()) return;
  if (!found->second.under_way && !found->second.waiting.empty()) Append(agent, found->second);
}

void Intake::AdvanceAll() {
  std::vector<AgentId> all;
  for (const auto& [agent, source] : sources_) {
    if (!source.waiting.empty()) all.push_back(agent);
  }
  for (const AgentId& agent : all) Advance(agent);
}

void Intake::Append(const AgentId& agent, Source& source) {
  source.under_way = true;
  const Store::Batch& batch = source.waiting.front();
  // A copy goes: should the disk refuse it, ours is tried again.
  store_.Append(batch, [this, alive = std::weak_ptr<char>(alive_), agent, life = source.life,
                        journal = source.journal,
                        size = SizeOf(batch)](absl::StatusOr<Store::Appended> answer) {
    if (!alive.expired()) Answer(agent, life, journal, size, std::move(answer));
  });
}

void Intake::Answer(const AgentId& agent, uint64_t life, const std::string& journal, size_t size,
                    absl::StatusOr<Store::Appended> answer) {
  const bool resumed = answer.ok() && std::exchange(stalled_, false);
  if (answer.ok()) {
    const bool own = agent == Ourselves();
    if (!own && answer->lost > 0) told_.lost(agent, answer->lost);
    if (!own) told_.taken(agent, journal, answer->taken, answer->events.size());
    if (!answer->events.empty()) told_.grown(std::move(answer->events));
  }
  const auto found = sources_.find(agent);
  if (found != sources_.end() && found->second.life == life) {
    found->second.under_way = false;
    if (answer.ok() || absl::IsNotFound(answer.status())) {  // not found: forgotten meanwhile
      bytes_ -= size;
      found->second.waiting.pop_front();
    } else {
      if (!std::exchange(stalled_, true)) {
        log::Warning("events_not_kept", {{"problem", std::string(answer.status().message())}});
      }
      Tick();
    }
    Advance(agent);
  }
  if (resumed) AdvanceAll();
}

// Sees to it that what could not be done is tried again.
void Intake::Tick() {
  if (timer_ == nullptr) timer_ = loop_.Every(kRetry, [this] { Retry(); });
}

void Intake::Retry() {
  if (stalled_) Probe();
  if (stalled_) return;
  AdvanceAll();
  AskAgain();
  if (behind_.empty()) timer_.reset();
}

// One write finds out whether the disk takes any; all others wait for what becomes of it.
void Intake::Probe() {
  bool any = false;
  for (const auto& [agent, source] : sources_) {
    if (source.under_way) return;
    any |= !source.waiting.empty();
  }
  if (!any) {  // whoever waited is gone
    stalled_ = false;
    return;
  }
  for (auto& [agent, source] : sources_) {
    if (!source.waiting.empty()) return Append(AgentId(agent), source);
  }
}

void Intake::AskAgain() {
  std::vector<AgentId> again;
  for (const AgentId& agent : behind_) {
    if (again.size() == kResumedEach) break;
    if (sources_.at(agent).waiting.empty()) again.push_back(agent);
  }
  for (const AgentId& agent : again) {
    behind_.erase(agent);
    told_.again(agent, absl::UnavailableError("the controller could not keep your events; it can "
                                              "now: come back and tell them again"));
  }
}

}  // namespace zcluster::controller
