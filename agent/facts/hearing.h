// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "agent/core/types.h"
#include "common/unique_fd.h"

namespace zcluster::facts {

// Whether VRRP from the peer comes in at this node, as a raw socket sees it: behind every packet
// filter, where keepalived's own socket is. Adverts go one way only, from the master; so that the
// other way is known too before it is needed, each node sends the peer a VRRP packet now and then
// that says nothing: it is of router 0, which no configuration can have (RFC 5798, 5.2.3), and so
// keepalived passes over it. One thread at a time.
class Hearing {
 public:
  using Clock = std::chrono::steady_clock;

  struct Target {
    std::string address;       // this node's, and
    std::string peer_address;  // the peer's, IPv4; empty ones: nothing is sent nor told
    bool multicast = false;    // as adverts go: to VRRP's group, else to the peer alone
    bool operator==(const Target&) const = default;
  };
  // `patience`: the silence after which the peer is not heard.
  void Aim(const Target& target, absl::Duration patience);

  // Sends one packet and takes what came since the last call. The fact of it; none while that is
  // not known yet, or the address is not on this machine.
  std::optional<core::Fact> Look(Clock::time_point now);

 private:
  // False: not now.
  bool Open(Clock::time_point now);

  Target target_;
  absl::Duration patience_;
  UniqueFd socket_;
  sockaddr_in to_ = {};
  Clock::time_point since_;  // the newest packet of the peer, or the opening before the first
  bool heard_ = false;       // ever, on this socket
};

}  // namespace zcluster::facts
