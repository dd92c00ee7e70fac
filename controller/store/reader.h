// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/loop.h"
#include "controller/store/search.h"
#include "controller/store/store.h"

namespace zcluster::controller {

// Searches one after the other, on a thread of its own. Loop thread.
class Reader {
 public:
  using Answer = std::function<void(absl::StatusOr<std::vector<v1::FleetEvent>>)>;

  // `loop` outlives this.
  Reader(Loop& loop, Search search);
  // Breaks off the search under way. No answer follows.
  ~Reader();

  // As Store::Read().
  void Read(Store::Query query, Answer answer);

 private:
  struct Question {
    Store::Query query;
    Answer answer;
  };
  void Run();
  void Tell(Answer answer, absl::StatusOr<std::vector<v1::FleetEvent>> events);

  Loop& loop_;
  // What is posted looks here whether this still lives; the loop's.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Search search_;  // the thread's

  absl::Mutex mutex_;
  std::deque<Question> waiting_ ABSL_GUARDED_BY(mutex_);  // at most kMostWaiting
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace zcluster::controller
