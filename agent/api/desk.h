// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "common/loop.h"

namespace zcluster::api {

// Where gRPC's threads hand their questions to the loop. Every question is answered exactly once,
// even when the loop will never run again: a server cannot be shut down while a call is unanswered.
class Desk {
 public:
  // Called with OK on the loop, or with UNAVAILABLE on the thread that closes the desk (or came
  // after that).
  using Question = std::function<void(const absl::Status&)>;

  explicit Desk(Loop& loop);
  ~Desk();

  // Any thread; never blocks.
  void Ask(Question question);

  // Answers all that waits; later questions are answered at once. Loop thread, or after the loop
  // has ended.
  void Close();

 private:
  struct State;
  Loop& loop_;
  const std::shared_ptr<State> state_;  // shared with what is posted, which may run after us
};

}  // namespace zcluster::api
