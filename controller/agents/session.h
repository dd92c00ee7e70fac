// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "common/loop.h"
#include "common/rate.h"
#include "controller/agents/requests.h"
#include "controller/agents/stream.h"

namespace zcluster::controller {

// One stream, as the loop sees it, from its first byte to its end. Loop thread.
struct Session {
  Session(std::shared_ptr<AgentStream> opened, double per_second, double burst)
      : stream(std::move(opened)), rate(per_second, burst) {}
  const ProvenAgent& agent() const { return stream->agent(); }

  const std::shared_ptr<AgentStream> stream;
  bool in = false;  // its hello was accepted
  Rate rate;        // of messages read
  Requests requests;
  Loop::Registration timer;  // until its hello
  Loop::Registration pause;  // while it says too much
};

}  // namespace zcluster::controller
