// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/event_feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/controller_link/limits.h"
#include "common/log.h"

namespace zcluster::controller_link {
namespace {

// After the journal could not be read.
constexpr absl::Duration kAgain = absl::Seconds(5);

}  // namespace

EventFeed::EventFeed(Loop& loop, EventJournal& journal, std::function<void(v1::EventBatch)> send)
    : loop_(loop), journal_(journal), send_(std::move(send)) {
  journal_.OnGrown([this] { Pump(); });
}

EventFeed::~EventFeed() {
  *alive_ = false;
  journal_.OnGrown(nullptr);
}

void EventFeed::Begin(uint64_t taken) {
  // A controller that has more than there is has seen events that this node has lost since.
  if (taken > journal_.last()) {
    log::Warning("controller_ahead_of_journal",
                 {{"controller", absl::StrCat(taken)}, {"journal", absl::StrCat(journal_.last())}});
  }
  taken_ = sent_ = std::min(taken, journal_.last());
  begun_ = true;
  Pump();
}

void EventFeed::Taken(uint64_t number) {
  if (number < taken_ || number > sent_) return;
  taken_ = number;
  while (!ahead_.empty() && ahead_.front() <= number) ahead_.pop_front();
  Pump();
}

void EventFeed::Pump() {
  if (!begun_ || reading_ || again_ != nullptr || ahead_.size() >= kMaxAhead ||
      sent_ >= journal_.last()) {
    return;
  }
  reading_ = true;
  journal_.Read(sent_, kMaxEvents, [this, alive = alive_](absl::StatusOr<v1::EventBatch> batch) {
    if (*alive) Read(std::move(batch));
  });
}

void EventFeed::Read(absl::StatusOr<v1::EventBatch> batch) {
  reading_ = false;
  if (!batch.ok()) {
    log::Warning("events_not_read", {{"problem", std::string(batch.status().message())}});
    again_ = loop_.After(kAgain, [this] {
      again_.reset();
      Pump();
    });
    return;
  }
  if (batch->events_size() == 0) return;  // OnGrown comes
  sent_ = batch->events(batch->events_size() - 1).number();
  ahead_.push_back(sent_);
  send_(*std::move(batch));
  Pump();
}

}  // namespace zcluster::controller_link
