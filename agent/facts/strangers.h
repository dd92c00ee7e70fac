// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agent/core/types.h"
#include "common/unique_fd.h"

namespace zcluster::facts {

// Who else on the wire sends VRRP adverts of the pair's router id. Our packet filter drops them, so
// they are heard before it, on the interface itself. One thread at a time.
class Strangers {
 public:
  using Clock = std::chrono::steady_clock;

  struct Target {
    std::string interface;     // VRRP's
    int router_id = 0;         // 1 to 255
    std::string address;       // this node's, IPv4, and
    std::string peer_address;  // the peer's: theirs are no strangers' adverts
    bool operator==(const Target&) const = default;
  };
  // Who was silent that long is forgotten: three of the longest intervals of VRRPv3 (RFC 5798,
  // 5.2.7).
  static constexpr std::chrono::seconds kForgetAfter{123};

  void Aim(const Target& target);

  // Takes what came since the last call. The fact of it: "alone", or a sentence that names the one
  // that was heard last. None without the interface or the right to listen.
  std::optional<core::Fact> Look(Clock::time_point now);

 private:
  // False: not now.
  bool Open();

  Target target_;
  UniqueFd socket_;
  std::string heard_;  // the address of the last; empty: nobody
  Clock::time_point heard_at_;
};

}  // namespace zcluster::facts
