// SPDX-License-Identifier: Apache-2.0
// Events were lost: what the kernel has now is compared with what the peer was sent.
#include <utility>
#include <vector>

#include "agent/conntrack/changes.h"
#include "agent/conntrack/digest.h"

namespace zcluster::conntrack {

bool Changes::BeginComparison() {
  absl::MutexLock lock(&mutex_);
  const bool whole = state_ == State::kLive && !begins_ && (end_ == kNone || comparing_);
  if (!whole && state_ != State::kComparison) return false;
  state_ = State::kComparison;
  comparing_ = true;
  end_ = kNone;
  ended_.clear();
  partial_.clear();
  ++round_;
  return true;
}

void Changes::CompareOne(Entry& entry, const Flow& found, absl::Time now) {
  entry.round = round_;
  const Flow whole = Whole(found);
  if (entry.position != kNone) {  // what waits is older
    At(entry.position).flow = whole;
    return Remember(entry, whole);
  }
  const bool same =
      entry.digest == DigestOf(whole) && (!whole.has_tcp || entry.tcp == Lasting(whole.tcp));
  if (same) {
    entry.id = whole.id;  // another life may look the same, and ends by its own name
    return;
  }
  ++differing_;
  Push(entry, whole, now);
}

void Changes::Note(Entry& entry, const Flow& told) {
  if (entry.round == round_) return;
  if (told.Complete() && !told.rare && !entry.rare) {
    entry.round = round_;
  } else {
    Stash(told);
  }
}

void Changes::Stash(const Flow& told) {
  const auto [at, fresh] = partial_.try_emplace(told.key, told);
  if (fresh) return;
  const Flow before = std::exchange(at->second, told);
  if (before.id != told.id) return;
  Flow& known = at->second;
  if (!known.has_tcp) {
    known.tcp = before.tcp;
    known.has_tcp = before.has_tcp;
  }
  known.rare = Merge(before.rare, known.rare);
}

void Changes::EndUnseen() {
  std::vector<Flow> unseen;
  for (auto& [key, entry] : entries_) {
    if (entry.round == round_) continue;
    if (entry.position != kNone && At(entry.position).flow.gone) continue;
    // An event told of it, so it is there, though the reading missed it.
    if (partial_.contains(key)) {
      entry.round = round_;
      continue;
    }
    Flow& gone = unseen.emplace_back();
    gone.key = key;
    gone.id = entry.id;
    gone.gone = true;
  }
  differing_ += unseen.size();
  for (const Flow& gone : unseen) EndOne(gone, read_at_);
}

}  // namespace zcluster::conntrack
