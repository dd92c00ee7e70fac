// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/pair.h"

#include <string>
#include <utility>

namespace zcluster::sim {
namespace {

std::array<core::Config, 2> DrawConfigs(Random& random) {
  core::Config config;
  DrawSettings(random, config);
  config.has_roots = random.OneIn(2);
  config.has_commands = random.OneIn(2);
  std::array<core::Config, 2> configs = {config, config};
  const std::array<std::string, 2> names = {"node1", "node2"};
  for (size_t own : {size_t{0}, size_t{1}}) {
    configs[own].node_name = names[own];
    configs[own].node_address = kAddresses[own];
    configs[own].peer_name = names[1 - own];
    configs[own].peer_address = kAddresses[1 - own];
  }
  return configs;
}

// Those of one pair in four are right, and of the others some are as far off as is possible.
std::array<MachineClock, 2> DrawClocks(Random& random, Clock& clock) {
  std::array<MachineClock, 2> clocks = {clock, clock};
  if (random.OneIn(4)) return clocks;
  for (MachineClock& each : clocks) {
    const int most = random.OneIn(2) ? kCommonDrift : kMostDrift;
    const auto width = static_cast<uint64_t>(2 * most + 1);
    each = MachineClock(clock, static_cast<int>(random.Below(width)) - most);
  }
  return clocks;
}

}  // namespace

void DrawSettings(Random& random, core::Config& config) {
  constexpr std::array kIntervals = {absl::Milliseconds(100), absl::Milliseconds(200),
                                     absl::Milliseconds(500), absl::Seconds(1)};
  config.advert_interval = kIntervals[random.Below(kIntervals.size())];
  config.replicate_conntrack = !random.OneIn(8);
  config.failback = random.OneIn(2) ? core::Failback::kPreferred : core::Failback::kKeep;
  config.preferred = random.OneIn(2) ? "node1" : "node2";
}

Pair::Pair(Random& random, Observer& observer)
    : random_(random),
      world_{.clock = clock_,
             .random = random,
             .observer = observer,
             .send_advert = [this](int from, const Advert& advert) { SendAdvert(from, advert); }} {
  const std::array<core::Config, 2> configs = DrawConfigs(random);
  const std::array<MachineClock, 2> clocks = DrawClocks(random, clock_);
  network_.link_on_vrrp_network = random.OneIn(3);
  const auto alive = [this](int node) {
    return [this, node] { return this->node(node).agent() != nullptr; };
  };
  const auto link_side = [&](int to) {
    return Link::Side{[this, to](const core::Event& event) { ReportLink(to, event); }, alive(to),
                      clocks[static_cast<size_t>(to)]};
  };
  const auto replication_side = [this](int to) {
    return Replication::Side{[this, to](const core::Event& event) { node(to).Deliver(event); }};
  };
  link_ = std::make_unique<Link>(clock_, random, network_, std::array{link_side(0), link_side(1)});
  replication_ = std::make_unique<Replication>(
      clock_, random, configs[0].has_roots, [this] { return link_->Lives(); },
      std::array{replication_side(0), replication_side(1)});
  world_.link = link_.get();
  world_.replication = replication_.get();
  world_.network = &network_;
  for (int index : {0, 1}) {
    const auto at = static_cast<size_t>(index);
    nodes_[at] = std::make_unique<Node>(index, world_, clocks[at], configs[at]);
  }
}

void Pair::SendAdvert(int from, const Advert& advert) {
  if (!network_.vrrp[static_cast<size_t>(from)]) return;
  if (network_.vrrp_loss_percent > 0 && random_.Percent(network_.vrrp_loss_percent)) return;
  // One wire: adverts do not overtake each other.
  absl::Time& arrival = advert_arrives_[static_cast<size_t>(from)];
  arrival = std::max(arrival,
                     clock_.now() + random_.Between(absl::Microseconds(50), absl::Milliseconds(1)));
  clock_.At(arrival, [this, from, advert] {
    node(1 - from).HearAdvert(advert, /*from_higher_address=*/from == 1);
  });
}

void Pair::ReportLink(int to, const core::Event& event) {
  node(to).Deliver(event);
  if (!std::holds_alternative<core::PeerReported>(event)) replication_->Review();
}

}  // namespace zcluster::sim
