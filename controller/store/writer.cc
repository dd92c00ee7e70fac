// SPDX-License-Identifier: Apache-2.0
#include "controller/store/writer.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::controller {
namespace {

// At most 200 commits a second: at 5,000 events a second 25 share one, and an answer comes some
// milliseconds later than it could. A write that finds the disk idle does not wait.
constexpr std::chrono::milliseconds kPause(5);

// One commit has at most so much: a larger one would hold up the answers of all that are in it.
// Bytes of the events themselves; the log has some three times as many.
constexpr size_t kMostOfACommit = 4 << 20;

// Besides as many as it adds, a commit removes so many of the oldest events: 5 ms of work.
constexpr uint64_t kPrunedAtOnce = 1'000;

// What an order, an event, a change or a label has in memory besides its own bytes.
constexpr size_t kOverhead = 256;

size_t SizeOf(const std::map<std::string, std::string>& labels) {
  size_t bytes = 0;
  for (const auto& [key, value] : labels) bytes += kOverhead + key.size() + value.size();
  return bytes;
}
size_t SizeOf(const PutPair& put) {
  return put.pair.name.size() + put.pair.ca_key.size() + SizeOf(put.pair.labels);
}
size_t SizeOf(const PutAgent& put) {
  return put.agent.id.pair.size() + put.agent.id.node.size() + put.agent.key.size() +
         put.agent.journal.size();
}
size_t SizeOf(const PutToken& put) {
  return put.token.hash.size() + put.token.pair.size() + put.token.ended.size() +
         SizeOf(put.token.labels);
}
size_t SizeOf(const PutOperator& put) { return put.admitted.name.size() + put.admitted.key.size(); }
size_t SizeOf(const DropPair& drop) { return drop.pair.size(); }
size_t SizeOf(const DropAgent& drop) { return drop.agent.pair.size() + drop.agent.node.size(); }
size_t SizeOf(const DropToken& drop) { return drop.hash.size(); }
size_t SizeOf(const DropOperator& drop) { return drop.name.size(); }

size_t SizeOf(const std::vector<Change>& changes) {
  size_t bytes = kOverhead;
  for (const Change& change : changes) {
    bytes += kOverhead + std::visit([](const auto& one) { return SizeOf(one); }, change);
  }
  return bytes;
}

size_t SizeOf(const Store::Batch& batch) {
  size_t bytes = kOverhead;
  for (const v1::Event& event : batch.events) bytes += kOverhead + event.ByteSizeLong();
  return bytes;
}

}  // namespace

Writer::Writer(Loop& loop, sqlite::Database& database, Roster roster, History history,
               size_t max_waiting)
    : loop_(loop),
      max_waiting_(max_waiting),
      extent_(history.extent()),
      database_(database),
      roster_(std::move(roster)),
      history_(std::move(history)),
      pruning_(history_.Excess() > 0),
      thread_([this] { Run(); }) {}

Writer::~Writer() {
  *alive_ = false;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void Writer::Write(std::vector<Change> changes, Done done) {
  const size_t bytes = SizeOf(changes);
  if (Enqueue({Changes{std::move(changes), done}, bytes})) return;
  loop_.Post([alive = alive_, done = std::move(done)] {
    if (*alive) done(absl::ResourceExhaustedError("too much waits for the disk; try again later"));
  });
}

void Writer::Append(Store::Batch batch, AppendDone done) {
  const size_t bytes = SizeOf(batch);
  if (Enqueue({Events{std::move(batch), done, Store::Appended()}, bytes})) return;
  loop_.Post([alive = alive_, done = std::move(done)] {
    if (*alive) done(absl::ResourceExhaustedError("too much waits for the disk; try again later"));
  });
}

bool Writer::Enqueue(Order order) {
  absl::MutexLock lock(&mutex_);
  if (order.bytes > max_waiting_ - waiting_bytes_) return false;
  waiting_bytes_ += order.bytes;
  waiting_.push_back(std::move(order));
  return true;
}

void Writer::Tell(Outcome& outcome) {
  extent_ = outcome.extent;
  problem_ = std::string(outcome.status.message());
  const std::shared_ptr<bool> alive = alive_;
  for (Order& order : outcome.orders) {
    if (!*alive) return;  // the last answer ended us
    if (auto* changes = std::get_if<Changes>(&order.what)) {
      changes->done(outcome.status);
    } else if (auto* events = std::get_if<Events>(&order.what)) {
      events->done(outcome.status.ok() ? std::move(events->answer) : outcome.status);
    }
  }
}

void Writer::Run() {
  bool failing = false;
  while (true) {
    Outcome outcome;
    outcome.orders = Take();
    if (outcome.orders.empty() && !pruning_) return;
    next_ = std::chrono::steady_clock::now() + kPause;
    outcome.status = Commit(outcome.orders);
    outcome.extent = history_.extent();
    pruning_ = outcome.status.ok() && history_.Excess() > 0;
    if (!outcome.status.ok() && !std::exchange(failing, true)) {
      log::Warning("store_failed", {{"reason", std::string(outcome.status.message())}});
    }
    if (outcome.status.ok() && std::exchange(failing, false)) log::Info("store_recovered");
    {
      absl::MutexLock lock(&mutex_);
      for (const Order& order : outcome.orders) waiting_bytes_ -= order.bytes;
    }
    loop_.Post([this, alive = alive_, told = std::make_shared<Outcome>(std::move(outcome))] {
      if (*alive) Tell(*told);
    });
  }
}

std::vector<Writer::Order> Writer::Take() {
  {
    absl::MutexLock lock(&mutex_);
    const auto due = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return !waiting_.empty() || stopping_ || pruning_;
    };
    mutex_.Await(absl::Condition(&due));
    if (stopping_) {
      pruning_ = false;  // the next to open it goes on
      if (waiting_.empty()) return {};
    }
  }
  // Not by the mutex's own timeout: that goes by the wall clock, and would wait for as long as that
  // is set back.
  std::this_thread::sleep_until(next_);
  std::vector<Order> orders;
  size_t bytes = 0;
  absl::MutexLock lock(&mutex_);
  while (!waiting_.empty() &&
         (orders.empty() || bytes + waiting_.front().bytes <= kMostOfACommit)) {
    bytes += waiting_.front().bytes;
    orders.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return orders;
}

absl::Status Writer::Commit(std::vector<Order>& orders) {
  const History::Extent before = history_.extent();
  const auto commit = [&]() -> absl::Status {
    ZC_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::ToWrite(database_));
    for (Order& order : orders) ZC_RETURN_IF_ERROR(Perform(order));
    ZC_RETURN_IF_ERROR(history_.Prune(history_.extent().last - before.last + kPrunedAtOnce));
    return transaction.Commit();
  };
  absl::Status status = commit();
  if (!status.ok()) history_.Restore(before);
  return status;
}

// What is wrong with one order is its own answer, found before anything of it was written: so that
// an error is the disk's, and all of the commit shares it.
absl::Status Writer::Perform(Order& order) {
  if (auto* events = std::get_if<Events>(&order.what)) {
    return history_.Append(roster_, std::move(events->batch), events->answer);
  }
  for (const Change& change : std::get<Changes>(order.what).changes) {
    ZC_RETURN_IF_ERROR(roster_.Apply(change));
  }
  return absl::OkStatus();
}

}  // namespace zcluster::controller
