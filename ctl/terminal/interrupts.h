// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <initializer_list>
#include <utility>
#include <vector>

#include "common/unique_fd.h"

namespace zcluster::ctl {

// While it lives, the given signals become readable instead of doing what they do, whichever thread
// they hit (gRPC has threads of its own, so that neither EINTR nor a signal mask can be relied on).
// One at a time; for the main thread.
class Interrupts {
 public:
  explicit Interrupts(std::initializer_list<int> signals);
  // Each signal does again what it did.
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // Readable once a signal has come.
  int fd() const { return read_end_.get(); }
  // The signal that has come first and was not taken yet, or 0.
  int Take();

 private:
  UniqueFd read_end_;
  UniqueFd write_end_;
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace zcluster::ctl
