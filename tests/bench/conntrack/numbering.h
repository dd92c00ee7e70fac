// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "agent/conntrack/flow.h"

// Which flow is number N: 198.18.0.1 and on, 50,000 ports each, to 192.0.2.1:443. So whoever sees a
// flow knows its number.
namespace zcluster::conntrack_bench {

inline constexpr uint32_t kFirstClient = 0xc6120001;  // 198.18.0.1
inline constexpr uint32_t kService = 0xc0000201;      // 192.0.2.1
inline constexpr uint16_t kServicePort = 443;
inline constexpr uint32_t kPortsPerClient = 50000;
inline constexpr uint16_t kFirstPort = 10000;

inline uint32_t ClientOf(uint64_t number) {
  return kFirstClient + static_cast<uint32_t>(number / kPortsPerClient);
}
inline uint16_t PortOf(uint64_t number) {
  return static_cast<uint16_t>(kFirstPort + number % kPortsPerClient);
}
// Anything, if it is no flow of ours.
inline uint64_t NumberOf(uint32_t client, uint16_t port) {
  return uint64_t{client - kFirstClient} * kPortsPerClient + port - kFirstPort;
}

// Flow `number` as a load balancer has it: TCP, established, sent on to one of 16 backends (DNAT).
conntrack::Flow Balanced(uint64_t number);

}  // namespace zcluster::conntrack_bench
