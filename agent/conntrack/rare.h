// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "agent/conntrack/flow_key.h"

namespace zcluster::conntrack {

// How one direction's TCP sequence numbers are moved, where a helper changed the length of what was
// said (kernel: nf_conntrack_seqadj.h).
struct SequenceShift {
  uint32_t position = 0;  // the sequence number up to which `before` holds
  uint32_t before = 0;    // signed, modulo 2^32
  uint32_t after = 0;     // beyond it
  bool operator==(const SequenceShift&) const = default;
};

// In which direction a flow's zone holds.
enum class ZoneDirection : uint8_t { kBoth, kOriginal, kReply };

// What only few flows have, so that the others do not pay for it. A plain value without padding: it
// compares, and digests, as bytes.
struct Rare {
  // Parts that the kernel tells only when they changed. A part that is not told is zero.
  static constexpr uint32_t kSctp = 1;
  static constexpr uint32_t kLabels = 2;
  static constexpr uint32_t kShift = 4;
  static constexpr uint32_t kMaster = 8;

  FlowKey master;                    // kMaster: the flow that announced this one; its zone is ours
  std::array<char, 16> helper{};     // its name, ended by zeroes; empty: none. Always told
  std::array<uint8_t, 16> labels{};  // kLabels
  SequenceShift original_shift, reply_shift;  // kShift
  uint32_t original_tag = 0;                  // kSctp: verification tags
  uint32_t reply_tag = 0;
  uint32_t told = 0;
  uint16_t reply_zone = 0;  // of kReply: the key's zone is 0 then. Always told
  ZoneDirection zone_direction = ZoneDirection::kBoth;
  uint8_t sctp_state = 0;  // kSctp: SCTP_CONNTRACK_*

  bool operator==(const Rare&) const = default;
  bool Has(uint32_t part) const { return (told & part) != 0; }
};
static_assert(std::has_unique_object_representations_v<Rare>);

// Shared, for flows are copied on their way; empty for a flow that has nothing of it.
using RarePtr = std::shared_ptr<const Rare>;

// The same as far as Rare is concerned.
inline bool Equal(const RarePtr& a, const RarePtr& b) { return a == b || (a && b && *a == *b); }

// `news` of a flow, and what was known of it before where they leave a part out.
RarePtr Merge(const RarePtr& known, const RarePtr& news);

// `rare` without these parts.
RarePtr Without(const RarePtr& rare, uint32_t parts);

}  // namespace zcluster::conntrack
