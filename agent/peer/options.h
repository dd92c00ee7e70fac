// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/protocol.h"

namespace zcluster::peer {

// Who we are, and who the peer is. Immutable.
struct Options {
  std::string pair;          // the pair's name
  std::string node;          // our name
  std::string address;       // by which operators know us
  std::string peer;          // the peer's name; differs from ours
  std::string peer_address;  // where it listens, for people: "10.30.0.2:7700"
  std::string version;       // of the program
  uint32_t protocol = kPeerProtocol;
  // Says what is wrong with our own certificate, so that a link that is down for this reason says
  // so. Called on the loop every few seconds while the link is down. May be empty.
  std::function<absl::Status()> check_own_files = {};

  // The node whose name sorts first dials, the other listens: one link, without an election.
  bool Dials() const { return node < peer; }
};

}  // namespace zcluster::peer
