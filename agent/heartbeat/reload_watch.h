// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/loop.h"

namespace zcluster::heartbeat {

// Hears that keepalived has taken its configuration anew. A SIGHUP says nothing of that, and its
// notify FIFO neither; its log does, some 30 ms later. Loop thread.
class ReloadWatch {
 public:
  // keepalived appends its words to the file `log`, which may be emptied at any time.
  ReloadWatch(Loop& loop, std::string log) : loop_(loop), log_(std::move(log)) {}

  // To be called before the SIGHUP. `done` is called once, later: DEADLINE_EXCEEDED if keepalived
  // says nothing. A watch under way is given up.
  void Begin(std::function<void(const absl::Status&)> done);
  bool under_way() const { return done_ != nullptr; }
  // `done` will not be called.
  void Cancel();

 private:
  void Look();

  Loop& loop_;
  const std::string log_;
  off_t read_ = 0;  // of the log: what is older is of no interest
  absl::Time deadline_;
  std::function<void(const absl::Status&)> done_;
  Loop::Registration looks_;
};

}  // namespace zcluster::heartbeat
