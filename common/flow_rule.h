// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Connections by what they are. Plain values; pure.
namespace zcluster {

// Those for which all that is set holds.
struct FlowRule {
  // Where addresses and ports are looked for.
  enum class Direction : uint8_t { kAny, kOriginal, kReply };
  struct Network {
    uint8_t family = 0;  // AF_INET, AF_INET6; 0: any address
    uint8_t length = 0;  // of the prefix
    std::array<uint8_t, 16>
        address{};  // network order; IPv4 fills the first four; 0 behind the prefix
    bool operator==(const Network&) const = default;
  };
  struct Ports {
    uint16_t first = 0;  // 0: any, and no port too
    uint16_t last = 0;
    bool operator==(const Ports&) const = default;
  };
  // One end of a direction, or either.
  struct End {
    Network network;
    Ports ports;
    bool operator==(const End&) const = default;
  };

  uint8_t protocol = 0;  // IPPROTO_*; 0: any
  Direction direction = Direction::kAny;
  End any;                  // of `direction`, an end
  End source, destination;  // of `direction`, or of kOriginal
  uint16_t tcp_states = 0;  // bits 1 << TCP_CONNTRACK_*
  bool unreplied = false;   // with tcp_states: one of them, or this
  uint32_t mark = 0;
  uint32_t mark_mask = 0;  // 0: any mark
  std::optional<uint16_t> zone;
  bool operator==(const FlowRule&) const = default;
};

// Which connections are wanted: of one of `only`, unless that is empty, and of none of `skip`.
struct FlowRules {
  std::vector<FlowRule> only;
  std::vector<FlowRule> skip;
  bool operator==(const FlowRules&) const = default;
};

// What people write. Errors are the problem alone ("is 'x'; expected ..."); the caller says where.
absl::StatusOr<uint8_t> ParseProtocol(absl::string_view text);
absl::StatusOr<FlowRule::Network> ParseNetwork(absl::string_view text);
absl::StatusOr<FlowRule::Ports> ParsePorts(absl::string_view text);
// A state of TCP, or UNREPLIED, which is added to `rule`.
absl::Status ParseState(absl::string_view text, FlowRule& rule);
// MARK or MARK/MASK, into `rule`.
absl::Status ParseMark(absl::string_view text, FlowRule& rule);

}  // namespace zcluster
