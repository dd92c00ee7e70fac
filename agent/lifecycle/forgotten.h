// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "agent/config/config.h"
#include "agent/lifecycle/node.h"
#include "common/loop.h"

namespace zcluster::lifecycle {

// Notices that the peer has left the pair without this node: while the link is down it looks
// whether the peer takes joins, which only a node in no pair does, and tells the brain
// (ComponentReported "peer", until the link is up again), so that MESSAGE says what this half of a
// pair is. Loop thread.
class Forgotten {
 public:
  // References outlive this object.
  Forgotten(Loop& loop, Node& node, const config::AgentSettings& self);
  ~Forgotten() { *alive_ = false; }

 private:
  void Look();
  void Tell(const std::string& problem);

  Loop& loop_;
  Node& node_;
  const std::string peer_, door_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool looking_ = false;
  std::string told_;
  Loop::Registration timer_;
};

}  // namespace zcluster::lifecycle
