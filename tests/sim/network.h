// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace zcluster::sim {

// Of the nodes on VRRP's network.
constexpr std::array<const char*, 2> kAddresses = {"192.0.2.9", "192.0.2.10"};

// The wires between the two nodes, each way by itself: one-way cuts are the cruel ones. Index: the
// node that sends.
struct Network {
  std::array<bool, 2> vrrp = {true, true};
  std::array<bool, 2> link = {true, true};
  unsigned vrrp_loss_percent = 0;
  // Each node's way to its clients, as a probe of its gateway would find it.
  std::array<bool, 2> path = {true, true};
  // The link runs over VRRP's own network: an answer proves the path.
  bool link_on_vrrp_network = false;

  void Heal() {
    const bool network = link_on_vrrp_network;
    *this = Network();
    link_on_vrrp_network = network;
  }
  bool Whole() const {
    return vrrp[0] && vrrp[1] && link[0] && link[1] && vrrp_loss_percent == 0 && path[0] && path[1];
  }
};

}  // namespace zcluster::sim
