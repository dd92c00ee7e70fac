// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "agent/conntrack/flow_key.h"

namespace zcluster::conntrack {

// A flow that a helper read of in another one, and that the kernel lets in as related to that:
// active FTP's data connection.
struct Expectation {
  static constexpr uint32_t kNoNat = 2;

  // What it is, as a plain value without padding: it compares, and digests, as bytes.
  struct What {
    FlowKey key;  // the flow, and so the name of the expectation. Zone 0, and 0 where anything goes
    FlowKey master;                 // the flow that announced it, by its original direction; zone 0
    Address source_mask{};          // which bits of the source must be the key's
    Address nat_address{};          // kept by the helper, for the NAT of the flow
    std::array<char, 16> helper{};  // the master's; ended by zeroes
    std::array<char, 32>
        function{};      // kernel's, that sets the flow up: "nat-follow-master". Or empty
    uint32_t group = 0;  // of the helper's own kinds ("class")
    uint32_t flags = 0;  // NF_CT_EXPECT_*, within kFlags
    uint32_t nat_direction = kNoNat;  // of the master, to which the NAT belongs: 0, 1, or none
    uint16_t source_port_mask = 0;
    uint16_t nat_port = 0;
    bool operator==(const What&) const = default;
  };
  static_assert(std::has_unique_object_representations_v<What>);

  What what;
  uint32_t timeout = 0;  // seconds left; as read from this node's kernel
  bool gone = false;     // then only the key means anything
};

// PERMANENT and INACTIVE; the third is for helpers outside the kernel, which cannot be replicated.
inline constexpr uint32_t kExpectationFlags = 0x3;

// How long a backup's expectation lives without news, in seconds: renewed daily. The master's word
// ends it.
inline constexpr uint32_t kHoldExpectation = 7 * 86400;
// Longer than any timeout that the kernel's helpers give.
inline constexpr bool IsHeldExpectation(uint32_t timeout) { return timeout > 86400; }
// What a held one gets at its release if nobody remembers its own: FTP's.
inline constexpr uint32_t kExpectationLife = 300;

// As DigestOf a flow; of all but the timeout.
uint64_t DigestOf(const Expectation& expectation);

}  // namespace zcluster::conntrack
