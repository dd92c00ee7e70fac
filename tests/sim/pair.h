// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
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

// What a pair changes while it runs, drawn by chance. The rest of `config` stays.
void DrawSettings(Random& random, core::Config& config);

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

  // The longest that a standby may wait for its master, as either node is configured.
  absl::Duration MasterDownInterval() const {
    return std::max(node(0).config().MasterDownInterval(), node(1).config().MasterDownInterval());
  }

 private:
  void SendAdvert(int from, const Advert& advert);
  void ReportLink(int to, const core::Event& event);

  Clock clock_;
  Random& random_;
  Network network_;
  std::array<absl::Time, 2> advert_arrives_ = {};  // the last one that each node sent
  Node::World world_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<Replication> replication_;
  std::array<std::unique_ptr<Node>, 2> nodes_;
};

}  // namespace zcluster::sim
