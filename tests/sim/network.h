// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace zcluster::sim {

// The wires between the two nodes, each way by itself: one-way cuts are the cruel ones. Index: the
// node that sends.
struct Network {
  std::array<bool, 2> vrrp = {true, true};
  std::array<bool, 2> link = {true, true};
  unsigned vrrp_loss_percent = 0;

  void Heal() { *this = Network(); }
  bool Whole() const { return vrrp[0] && vrrp[1] && link[0] && link[1] && vrrp_loss_percent == 0; }
};

}  // namespace zcluster::sim
