// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "agent/config/config.h"
#include "agent/lifecycle/node.h"
#include "agent/lifecycle/paths.h"
#include "agent/lifecycle/peer_calls.h"
#include "common/loop.h"

namespace zcluster::lifecycle {

// A pair is ended from this node. The master goes last, so that the VIPs do not move once more on
// their way out. Loop thread.
class Leaving {
 public:
  using Step = std::function<void(std::string)>;
  using Done = std::function<void(const absl::Status&)>;
  // Gives this node back: files, rules, all; given by the door.
  using GiveBack = std::function<void(Done)>;

  Leaving(Loop& loop, Node& node, const Paths& paths, const config::Settings& settings, bool local,
          GiveBack give_back, Step step, Done done);

 private:
  void AskWhetherPeerIsThere();
  void BeginHere();
  void TellPeer();
  void EndHere(const std::string& untold);

  Node& node_;
  const Paths paths_;
  const config::Settings settings_;
  const bool local_;
  const GiveBack give_back_;
  const Step step_;
  const Done done_;
  PeerCalls calls_;
};

}  // namespace zcluster::lifecycle
