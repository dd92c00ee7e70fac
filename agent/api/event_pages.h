// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/api/board.h"
#include "agent/event_journal.h"
#include "zcluster/v1/cluster.pb.h"

namespace zcluster::api {

// Called once, from any thread.
using EventsAnswer = std::function<void(absl::StatusOr<v1::EventsPage>)>;

// This node's journal, a page at a time. Loop thread.
class EventPages {
 public:
  // Events in a page at most.
  static constexpr uint32_t kMaxLimit = 256;

  // `board` knows the node's name, and outlives this object.
  explicit EventPages(const Board& board) : board_(board) {}
  // Outlives this object too. Until it is set there is nothing to read.
  void SetJournal(EventJournal& journal) { journal_ = &journal; }

  // `asked_at` is the wall clock when the question came. INVALID_ARGUMENT names the field;
  // UNAVAILABLE and the like are the journal's.
  void Read(const v1::EventsRequest& request, absl::Time asked_at, EventsAnswer answer) const;

 private:
  const Board& board_;
  EventJournal* journal_ = nullptr;
};

// Asks the node `name` over `peer` (null: there is none) for a page of its journal, and measures by
// that how far its clock is from ours. FAILED_PRECONDITION: it cannot be asked. Any thread.
void AskPeerForEvents(const std::shared_ptr<grpc::Channel>& peer, const std::string& name,
                      const v1::EventsRequest& request, EventsAnswer answer);

// How far a clock is ahead of ours that showed `there_asked` when a question came that left here at
// `asked`, and `there_answered` when its answer left that came here at `answered` (RFC 5905, 8).
struct ClockReading {
  absl::Duration ahead;
  absl::Duration uncertainty;  // may be so much more, or less; never below zero
};
ClockReading ReadClock(absl::Time asked, absl::Time there_asked, absl::Time there_answered,
                       absl::Time answered);

}  // namespace zcluster::api
