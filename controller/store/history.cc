// SPDX-License-Identifier: Apache-2.0
#include "controller/store/history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "controller/store/layout.h"

namespace zcluster::controller {
namespace {

// As large as proto Event says that one can be (32 fields of 1 KiB), and as much again.
constexpr size_t kMostOfAnEvent = 64 << 10;

// What makes a batch one that cannot be written, now or ever.
absl::Status Check(const Store::Batch& batch) {
  const bool ours = batch.agent.node.empty();
  if (ours != batch.journal.empty()) {
    return absl::InvalidArgumentError(
        ours ? "events of the controller's own are of no journal"
             : absl::StrCat(batch.agent.Name(), ": tells events of a journal without a name"));
  }
  uint64_t before = 0;
  for (const v1::Event& event : batch.events) {
    if (event.ByteSizeLong() > kMostOfAnEvent) {
      return absl::InvalidArgumentError(
          absl::StrCat(batch.agent.Name(), ": event ", event.number(), " has ",
                       event.ByteSizeLong(), " bytes; at most ", kMostOfAnEvent, " are taken"));
    }
    if (ours) continue;
    if (event.number() <= before) {
      return absl::InvalidArgumentError(absl::StrCat(batch.agent.Name(), ": event ", event.number(),
                                                     " comes after event ", before));
    }
    before = event.number();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<History> History::Open(sqlite::Database& database, uint64_t max_events) {
  ZC_ASSIGN_OR_RETURN(
      sqlite::Statement insert,
      database.Prepare("INSERT INTO events(number, pair, node, received, warning, event) "
                       "VALUES(?, ?, ?, ?, ?, ?)"));
  ZC_ASSIGN_OR_RETURN(sqlite::Statement prune,
                      database.Prepare("DELETE FROM events NOT INDEXED WHERE number < ?"));
  // Two searches of one step; min and max together would read the whole table.
  ZC_ASSIGN_OR_RETURN(sqlite::Statement ends,
                      database.Prepare("SELECT (SELECT min(number) FROM events NOT INDEXED), "
                                       "(SELECT max(number) FROM events NOT INDEXED)"));
  ZC_RETURN_IF_ERROR(ends.Step().status());
  Extent extent;
  if (ends.Int(1) != 0) {
    extent = {static_cast<uint64_t>(ends.Int(0)), static_cast<uint64_t>(ends.Int(1))};
  }
  return History(std::move(insert), std::move(prune), std::max<uint64_t>(max_events, 1), extent);
}

absl::Status History::Append(Roster& roster, Store::Batch batch,
                             absl::StatusOr<Store::Appended>& answer) {
  if (const absl::Status wrong = Check(batch); !wrong.ok()) {
    answer = wrong;
    return absl::OkStatus();
  }
  Store::Appended appended;
  const bool ours = batch.agent.node.empty();
  uint64_t before = 0;
  if (!ours) {
    ZC_ASSIGN_OR_RETURN(const absl::optional<Roster::Place> place, roster.Find(batch.agent));
    if (!place) {
      answer = absl::NotFoundError(absl::StrCat(batch.agent.Name(), ": is not enrolled here"));
      return absl::OkStatus();
    }
    // What a journal had dropped before we first heard of it was never to be ours.
    const bool known = place->journal == batch.journal;
    before = known ? place->taken : 0;
    if (batch.after > before) {
      answer = absl::AbortedError(absl::StrCat(batch.agent.Name(), ": events up to ", batch.after,
                                               " were not taken; they must be told first"));
      return absl::OkStatus();
    }
    appended.taken = before;
    for (v1::Event& event : batch.events) {
      if (event.number() <= appended.taken) continue;
      if (known || appended.taken != 0) appended.lost += event.number() - appended.taken - 1;
      appended.taken = event.number();
      ZC_RETURN_IF_ERROR(Insert(batch, std::move(event), appended));
    }
    if (appended.taken != before) {
      ZC_RETURN_IF_ERROR(roster.Advance(batch.agent, {batch.journal, appended.taken}));
    }
  } else {
    for (v1::Event& event : batch.events) {
      ZC_RETURN_IF_ERROR(Insert(batch, std::move(event), appended));
    }
  }
  answer = std::move(appended);
  return absl::OkStatus();
}

absl::Status History::Insert(const Store::Batch& batch, v1::Event event,
                             Store::Appended& appended) {
  const uint64_t number = extent_.last + 1;
  event.SerializeToString(&serialized_);
  ZC_RETURN_IF_ERROR(insert_.Bind(1, static_cast<int64_t>(number))
                         .BindText(2, batch.agent.pair)
                         .BindText(3, batch.agent.node)
                         .Bind(4, ToColumn(batch.received))
                         .Bind(5, event.warning() ? 1 : 0)
                         .BindBlob(6, serialized_)
                         .Run());
  extent_.last = number;
  v1::FleetEvent& told = appended.events.emplace_back();
  told.set_number(number);
  told.set_pair(batch.agent.pair);
  told.set_node(batch.agent.node);
  *told.mutable_event() = std::move(event);
  *told.mutable_received() = ProtoOf(batch.received);
  return absl::OkStatus();
}

uint64_t History::Excess() const {
  return extent_.count() > max_events_ ? extent_.count() - max_events_ : 0;
}

absl::Status History::Prune(uint64_t limit) {
  const uint64_t removed = std::min(Excess(), limit);
  if (removed == 0) return absl::OkStatus();
  ZC_RETURN_IF_ERROR(prune_.Bind(1, static_cast<int64_t>(extent_.first + removed)).Run());
  extent_.first += removed;
  return absl::OkStatus();
}

}  // namespace zcluster::controller
