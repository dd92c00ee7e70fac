// SPDX-License-Identifier: Apache-2.0
#include "controller/api/watch_source.h"

#include <utility>

namespace zcluster::controller {
namespace {

// A client's gRPC takes 4 MiB at once.
constexpr size_t kMaxMessage = 1 << 20;

}  // namespace

void WatchSource::Begin(Loop& loop, Hub& hub, const std::shared_ptr<Sources>& sources,
                        Selector selector, std::shared_ptr<Stream> stream) {
  std::unique_ptr<WatchSource> source(
      new WatchSource(loop, hub, std::move(selector), std::move(stream)));
  WatchSource* raw = source.get();
  if (!raw->stream_->Serve([raw] { raw->Pull(); }, Sources::Remover(sources, raw))) return;
  sources->Add(std::move(source));
  raw->Pull();
}

WatchSource::WatchSource(Loop& loop, Hub& hub, Selector selector, std::shared_ptr<Stream> stream)
    : loop_(loop), hub_(hub), selector_(std::move(selector)), stream_(std::move(stream)) {
  for (const v1::PairSummary* pair : hub.fleet().Matching(selector_)) first_.insert(pair->name());
  changes_ = hub.changes().Add([this](const std::set<std::string>& names) { Changed(names); });
}

void WatchSource::Changed(const std::set<std::string>& names) {
  for (const std::string& name : names) {
    if (first_.count(name) == 0) dirty_.insert(name);
  }
  Pull();
}

void WatchSource::Pull() {
  if (!stream_->CanTake() || pause_ != nullptr) return;
  if (complete_ && dirty_.empty()) return;
  if (const absl::Time now = Loop::Now(); now < not_before_) {
    pause_ = loop_.After(not_before_ - now, [this] {
      pause_.reset();
      Pull();
    });
    return;
  }
  v1::PairChanges changes;
  size_t bytes = 0;
  // Those that were there go first: `complete` must come however much changes meanwhile.
  for (std::set<std::string>* names : {&first_, &dirty_}) {
    while (!names->empty() && bytes < kMaxMessage) {
      const std::string name = *names->begin();
      names->erase(names->begin());
      const int before = changes.pairs_size();
      Put(name, changes);
      if (changes.pairs_size() > before) bytes += changes.pairs(before).ByteSizeLong();
    }
  }
  if (!complete_ && first_.empty()) {
    complete_ = true;
    changes.set_complete(true);
  }
  if (changes.pairs().empty() && changes.gone().empty() && !changes.complete()) return;
  // The beginning goes as fast as it is taken.
  if (complete_) not_before_ = Loop::Now() + kPace;
  stream_->Write(std::move(changes));
}

void WatchSource::Put(const std::string& name, v1::PairChanges& changes) {
  const v1::PairSummary* pair = hub_.fleet().Find(name);
  if (pair != nullptr && selector_.Matches(*pair)) {
    *changes.add_pairs() = hub_.fleet().Show(*pair, Loop::Now());
    shown_.insert(name);
  } else if (shown_.erase(name) > 0) {
    changes.add_gone(name);
  }
}

}  // namespace zcluster::controller
