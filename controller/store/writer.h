// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/loop.h"
#include "common/sqlite.h"
#include "controller/store/history.h"
#include "controller/store/roster.h"
#include "controller/store/store.h"

namespace zcluster::controller {

// Writes on a thread of its own, in the order in which it was asked, as many in one commit as wait.
// A commit waits for the disk (0.2 ms on a good one, 10 ms on a bad one) however small it is:
// under load they begin kPause apart, so that many small writes share one. Loop thread.
class Writer {
 public:
  using Done = Store::Done;
  using AppendDone = std::function<void(absl::StatusOr<Store::Appended>)>;

  // `database`, which `roster` and `history` write, and `loop` outlive this.
  Writer(Loop& loop, sqlite::Database& database, Roster roster, History history,
         size_t max_waiting);
  // Writes what waits, if the disk takes it. No answer follows.
  ~Writer();

  // As in Store.
  void Write(std::vector<Change> changes, Done done);
  void Append(Store::Batch batch, AppendDone done);

  // As of the last answer.
  const History::Extent& extent() const { return extent_; }
  const std::string& problem() const { return problem_; }

 private:
  struct Changes {
    std::vector<Change> changes;
    Done done;
  };
  struct Events {
    Store::Batch batch;
    AppendDone done;
    absl::StatusOr<Store::Appended> answer;
  };
  struct Order {
    std::variant<Changes, Events> what;
    size_t bytes = 0;
  };
  // What became of a commit.
  struct Outcome {
    std::vector<Order> orders;
    absl::Status status;
    History::Extent extent;
  };

  // Loop thread.
  bool Enqueue(Order order);
  void Tell(Outcome& outcome);

  // The writer's thread.
  void Run();
  std::vector<Order> Take();  // empty: stop, or remove what is too old
  absl::Status Commit(std::vector<Order>& orders);
  absl::Status Perform(Order& order);

  Loop& loop_;
  const size_t max_waiting_;
  // What is posted looks here whether this still lives; the loop's.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  History::Extent extent_;
  std::string problem_;

  // The thread's.
  sqlite::Database& database_;
  Roster roster_;
  History history_;
  bool pruning_ = false;  // more is too old than a commit removes, and the disk took the last one
  std::chrono::steady_clock::time_point next_;  // not before is the next commit

  absl::Mutex mutex_;
  std::deque<Order> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // with those of the commit under way
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace zcluster::controller
