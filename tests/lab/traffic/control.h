// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tests/lab/traffic/net.h"

namespace zcluster::traffic {

// How a running verb is told what to do: SIGTERM and SIGINT end it, SIGUSR1 asks for a report,
// SIGUSR2 sets a mark (only what moves after it counts as alive). Make it before any thread.
class Control {
 public:
  struct Orders {
    bool stop = false;
    bool report = false;
    bool mark = false;
  };

  // Ends by itself after `seconds`; 0: never.
  explicit Control(double seconds);

  // Poll this descriptor for reading, then call Take().
  int fd() const { return signals_.get(); }
  // What was ordered since the last call.
  Orders Take();

 private:
  Fd signals_;
};

}  // namespace zcluster::traffic
