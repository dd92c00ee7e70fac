// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <cstring>
#include <optional>

#include "agent/conntrack/flow.h"

// The kernel's tuples in netlink attributes, and the attributes themselves.
namespace zcluster::conntrack {

// libmnl's loops are C macros with casts that C++ refuses.
template <typename Visit>
void ForEach(const void* begin, size_t size, Visit visit) {
  int left = static_cast<int>(size);
  for (const auto* at = static_cast<const nlattr*>(begin); mnl_attr_ok(at, left);
       left -= MNL_ALIGN(at->nla_len), at = mnl_attr_next(at)) {
    visit(*at);
  }
}

template <typename Visit>
void ForEachIn(const nlattr& nest, Visit visit) {
  ForEach(mnl_attr_get_payload(&nest), mnl_attr_get_payload_len(&nest), visit);
}

// An attribute that is too short reads as zero: the kernel sends none.
template <typename T>
T Read(const nlattr& attribute) {
  T value{};
  if (mnl_attr_get_payload_len(&attribute) >= sizeof value) {
    std::memcpy(&value, mnl_attr_get_payload(&attribute), sizeof value);
  }
  return value;
}
uint16_t Read16(const nlattr& attribute);
uint32_t Read32(const nlattr& attribute);

// The beginning of a message to `subsystem` (NFNL_SUBSYS_*).
nlmsghdr* PutHeader(void* at, int subsystem, int kind, int flags, uint32_t sequence,
                    uint8_t family);

// One direction of a flow, as the kernel tells it.
struct Tuple {
  Reply ends;
  uint8_t protocol = 0;
  uint8_t family = AF_INET;
  bool addresses = false;        // both are there
  std::optional<uint16_t> zone;  // that holds in this direction only
};
Tuple ReadTuple(const nlattr& nest);

// A key in zone 0.
FlowKey KeyOf(const Tuple& tuple);
Reply EndsOf(const FlowKey& key);

// `key` says what kind of tuple it is, `ends` what is in it. `zone`: that holds in this direction
// only; null: none.
void PutTuple(nlmsghdr* header, uint16_t type, const FlowKey& key, const Reply& ends,
              const uint16_t* zone = nullptr);

}  // namespace zcluster::conntrack
