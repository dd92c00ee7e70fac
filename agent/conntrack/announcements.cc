// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/announcements.h"

#include "absl/container/flat_hash_set.h"
#include "agent/conntrack/memory.h"

namespace zcluster::conntrack {

void Announcements::Clear() {
  entries_.clear();
  order_.clear();
  digest_ = 0;
}

void Announcements::Add(const Expectation& expectation, uint64_t position) {
  const FlowKey& key = expectation.what.key;
  const auto at = entries_.find(key);
  if (at == entries_.end() && (expectation.gone || entries_.size() >= kMost)) return;
  Entry& entry = at == entries_.end() ? entries_[key] : at->second;
  if (expectation.gone && entry.digest == 0) {  // it came and went
    entries_.erase(at);
    return;
  }
  entry.now = expectation;
  entry.position = position;
  entry.waits = true;
  order_.emplace_back(position, key);
}

size_t Announcements::Memory() const { return TableBytes(entries_) + DequeBytes(order_); }

void Announcements::EndBut(absl::Span<const Expectation> found, uint64_t position) {
  absl::flat_hash_set<FlowKey> there;
  for (const Expectation& expectation : found) there.insert(expectation.what.key);
  std::vector<Expectation> ended;
  for (const auto& [key, entry] : entries_) {
    if (there.contains(key) || entry.now.gone) continue;
    ended.push_back(entry.now);
    ended.back().gone = true;
  }
  for (const Expectation& gone : ended) Add(gone, position);
}

void Announcements::Take(uint64_t taken, size_t most, std::vector<Expectation>& expectations) {
  while (Ready(taken) && expectations.size() < most) {
    const auto [position, key] = order_.front();
    order_.pop_front();
    const auto at = entries_.find(key);
    if (at == entries_.end() || !at->second.waits || at->second.position != position) continue;
    Entry& entry = at->second;
    expectations.push_back(entry.now);
    digest_ -= entry.digest;
    if (entry.now.gone) {
      entries_.erase(at);
      continue;
    }
    entry.waits = false;
    entry.digest = DigestOf(entry.now);
    digest_ += entry.digest;
  }
}

}  // namespace zcluster::conntrack
