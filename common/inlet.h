// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "common/loop.h"

namespace zcluster {

// The way from other threads to the loop, which can be shut: it outlives whoever listens.
class Inlet : public std::enable_shared_from_this<Inlet> {
 public:
  explicit Inlet(Loop& loop) : post_(loop.MakePoster()) {}

  // Runs `task` on the loop, unless it is shut by then. Any thread.
  void Post(std::function<void()> task) {
    post_([self = shared_from_this(), task = std::move(task)] {
      if (self->open_) task();
    });
  }
  const Loop::Poster& poster() const { return post_; }
  // No task begins from now on. Loop thread.
  void Shut() { open_ = false; }

 private:
  const Loop::Poster post_;
  bool open_ = true;  // loop
};

// Lets go of `last`, which holds a channel, on the loop. On one of gRPC's own threads it must not
// go: the process's last channel waits for these threads to end.
// `post` is a copy: the caller's own may go with `last`.
inline void LetGo(Loop::Poster post, std::shared_ptr<void> last) {
  const auto held = std::make_shared<std::shared_ptr<void>>(std::move(last));
  const auto drop = [held] { held->reset(); };
  // Without the loop the process is about to end.
  if (!post(drop)) std::thread(drop).detach();
}

}  // namespace zcluster
