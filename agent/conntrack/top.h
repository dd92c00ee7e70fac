// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "agent/conntrack/flow.h"
#include "zcluster/v1/flows.pb.h"

namespace zcluster::conntrack {

// Who has the most connections, from one look at the whole table to the next. By looks and not by
// events: events are told on a master alone, and what is watched of them is a sample; a look knows
// all that is there. The price: a connection that came and went between two looks is not seen. Some
// 20 bytes a flow, and 50 a group. One thread.
class Top {
 public:
  // Of a table with more flows no rate is told; groups beyond so many are not told apart.
  static constexpr size_t kMaxFlows = 1 << 21;
  static constexpr size_t kMaxGroups = 1 << 20;

  explicit Top(v1::TopBy by) : by_(by) {}

  // A flow of this look.
  void Add(const Flow& flow);
  // The look is over, `since` after the one before: the `most` largest groups. The next one begins.
  v1::TopFlows End(absl::Duration since, size_t most);

 private:
  struct Group {
    Address address{};
    uint16_t port = 0;
    uint8_t protocol = 0;
    uint8_t family = AF_INET;
    bool operator==(const Group&) const = default;
    template <typename H>
    friend H AbslHashValue(H state, const Group& group) {
      return H::combine_contiguous(std::move(state), reinterpret_cast<const unsigned char*>(&group),
                                   sizeof group);
    }
  };
  static_assert(std::has_unique_object_representations_v<Group>);
  struct Figures {
    uint32_t flows = 0;
    uint32_t fresh = 0;  // not there at the look before
  };
  Group GroupOf(const Flow& flow) const;

  const v1::TopBy by_;
  absl::flat_hash_map<Group, Figures> groups_;
  Figures all_;
  uint64_t ungrouped_ = 0;
  // The lives of flows that were there: hashes of key and id. Two that collide cost one in a rate.
  absl::flat_hash_set<uint64_t> before_;
  absl::flat_hash_set<uint64_t> now_;
  bool first_ = true;
};

}  // namespace zcluster::conntrack
