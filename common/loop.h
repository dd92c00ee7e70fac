// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "absl/time/time.h"

namespace zcluster {

// One thread's event loop (Asio inside). Callbacks run on the thread that calls Run(), one at a
// time.
class Loop {
 public:
  // Cancels what it stands for when destroyed; after that, on the loop's thread, the callback never
  // runs. An empty one does nothing.
  class Handle {
   public:
    virtual ~Handle() = default;
  };
  using Registration = std::unique_ptr<Handle>;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Steady clock: never jumps; only differences mean anything. Any thread.
  static absl::Time Now();

  // Runs `task` on the loop, after what was posted before. Any thread; never blocks.
  void Post(std::function<void()> task);

  // Post(), for whoever may outlive the loop: once that is gone, tasks are dropped, and it returns
  // false. Any thread.
  using Poster = std::function<bool(std::function<void()> task)>;
  Poster MakePoster();

  // Runs `task` once, `delay` from now. Loop thread.
  [[nodiscard]] Registration After(absl::Duration delay, std::function<void()> task);

  // Runs `task` every `period`, first after one period; a late one is not made up for. Loop thread.
  [[nodiscard]] Registration Every(absl::Duration period, std::function<void()> task);

  // Runs `ready` whenever `fd` is readable. The loop does not own `fd`, which must stay open as
  // long as the registration. Loop thread.
  [[nodiscard]] Registration WatchReadable(int fd, std::function<void()> ready);

  // Runs `task` with the signal's number when it arrives. Loop thread.
  [[nodiscard]] Registration OnSignals(std::initializer_list<int> signals,
                                       std::function<void(int)> task);

  // Serves until Quit().
  void Run();
  // Makes Run() return soon. Any thread.
  void Quit();

  // True on the thread inside Run().
  bool OnLoopThread() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace zcluster
