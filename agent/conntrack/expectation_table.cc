// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/expectation_table.h"

namespace zcluster::conntrack {

void ExpectationTable::Clear() {
  held_.clear();
  digest_ = 0;
}

void ExpectationTable::Forget(const FlowKey& key) {
  const auto at = held_.find(key);
  if (at == held_.end()) return;
  if (at->second.named) digest_ -= DigestOf(at->second.expectation);
  held_.erase(at);
}

void ExpectationTable::Adopt(const Expectation& expectation) {
  held_[expectation.what.key] = {expectation, true, false};
}

bool ExpectationTable::Name(const Expectation& expectation) {
  const FlowKey& key = expectation.what.key;
  const auto at = held_.find(key);
  const bool same = at != held_.end() && at->second.in_kernel &&
                    at->second.expectation.what == expectation.what &&
                    (at->second.named || IsHeldExpectation(at->second.expectation.timeout));
  Forget(key);
  held_[key] = {expectation, true, true};
  digest_ += DigestOf(expectation);
  return !same;
}

void ExpectationTable::Skip(const Expectation& expectation) {
  Forget(expectation.what.key);
  held_[expectation.what.key] = {expectation, false, true};
  digest_ += DigestOf(expectation);
}

bool ExpectationTable::End(const FlowKey& key) {
  const auto at = held_.find(key);
  const bool there = at != held_.end() && at->second.in_kernel;
  Forget(key);
  return there;
}

uint32_t ExpectationTable::TimeoutOf(const FlowKey& key, uint32_t otherwise) const {
  const auto at = held_.find(key);
  return at != held_.end() && at->second.named ? at->second.expectation.timeout : otherwise;
}

void ExpectationTable::Sweep(const std::function<void(const Expectation&)>& gone) {
  for (auto at = held_.begin(); at != held_.end();) {
    if (at->second.named) {
      ++at;
      continue;
    }
    gone(at->second.expectation);
    held_.erase(at++);
  }
}

void ExpectationTable::ForEach(const std::function<void(const Expectation&)>& visit) const {
  for (const auto& [key, held] : held_) {
    if (held.in_kernel) visit(held.expectation);
  }
}

}  // namespace zcluster::conntrack
