// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "agent/conntrack/flow.h"

namespace zcluster::conntrack {

// How long a backup's entry lives without news, in seconds: 90 days, near the longest that the
// kernel keeps (99). A flow whose packets change nothing tells nothing, so no time of the master's
// would do. The master's word ends it.
inline constexpr uint32_t kHoldTimeout = 90 * 86400;

// Longer than any timeout that the kernel gives a live flow by itself: the entry is one that a
// backup holds.
inline constexpr bool IsHeld(uint32_t timeout) { return timeout > kHoldTimeout / 2; }

// How long a GRE flow that was held lives after its release, in seconds, whether packets come or
// not: its timeout is fixed (PutCreate). Traffic that goes on makes it anew, by the rules.
inline constexpr uint32_t kGreLife = 86400;

// How long the kernel lets a flow be silent, by its state, as its sysctls say. Immutable.
class Timeouts {
 public:
  // From /proc/sys/net/netfilter, in the network namespace of the calling thread; what cannot be
  // read has the kernel's default.
  static Timeouts Read();

  // Seconds.
  uint32_t Of(const Flow& flow) const;
  // The same of one that we make: of GRE it is kGreLife.
  uint32_t OfInjected(const Flow& flow) const {
    return flow.key.protocol == IPPROTO_GRE ? kGreLife : Of(flow);
  }

 private:
  std::array<uint32_t, 10> tcp_{};  // by TCP_CONNTRACK_*
  uint32_t udp_ = 0;
  uint32_t udp_stream_ = 0;
  uint32_t gre_ = 0;
  uint32_t gre_stream_ = 0;
  uint32_t icmp_ = 0;
  uint32_t icmpv6_ = 0;
  std::array<uint32_t, 10> sctp_{};  // by SCTP_CONNTRACK_*
  uint32_t generic_ = 0;
};

}  // namespace zcluster::conntrack
