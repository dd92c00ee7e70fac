// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>

#include "tests/sim/clock.h"
#include "tests/sim/link.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"
#include "tests/sim/observer.h"
#include "tests/sim/random.h"
#include "tests/sim/replication.h"

namespace zcluster::sim {

// Two nodes and the wires between them. Its configuration is drawn by chance. Node 0 is node1,
// whose address is the lower.
class Pair {
 public:
  Pair(Random& random, Observer& observer);

  Clock& clock() { return clock_; }
  const Clock& clock() const { return clock_; }
  Network& network() { return network_; }
  const Network& network() const { return network_; }
  Link& link() { return *link_; }
  const Link& link() const { return *link_; }
  const Replication& replication() const { return *replication_; }
  Node& node(int index) { return *nodes_[static_cast<size_t>(index)]; }
  const Node& node(int index) const { return *nodes_[static_cast<size_t>(index)]; }

 private:
  void SendAdvert(int from, uint8_t priority);
  void ReportLink(int to, const core::Event& event);

  Clock clock_;
  Random& random_;
  Network network_;
  Node::World world_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<Replication> replication_;
  std::array<std::unique_ptr<Node>, 2> nodes_;
};

}  // namespace zcluster::sim
