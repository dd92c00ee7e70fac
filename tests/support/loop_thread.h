// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/loop.h"

namespace zcluster::test {

// A loop with a thread of its own.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.Run(); }) {
    Do([] {});
  }
  ~LoopThread() {
    loop_.Quit();
    thread_.join();
  }
  Loop& loop() { return loop_; }
  // Runs `task` there and waits for it.
  void Do(const std::function<void()>& task) {
    absl::Notification done;
    loop_.Post([&] {
      task();
      done.Notify();
    });
    done.WaitForNotification();
  }

 private:
  Loop loop_;
  std::thread thread_;
};

}  // namespace zcluster::test
