// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/conntrack/filter.h"
#include "agent/conntrack/flow.h"

namespace zcluster::v1 {
class ClassCounts;
class ComparisonScope;
}  // namespace zcluster::v1

namespace zcluster::conntrack {

// What a flow is to the pair.
enum class FlowClass {
  kForwarded,      // through the node, as it is
  kTranslated,     // through the node, with NAT
  kEndsOnMaster,   // replicated, but such a connection cannot move
  kEndsOnStandby,  // not replicated
  kOwn,            // the agents' link, loopback: not replicated
  kFiltered,       // not replicated by the pair's configuration
};

// How many of each. Plain value.
struct Counts {
  uint64_t forwarded = 0;
  uint64_t translated = 0;
  uint64_t ends_on_master = 0;
  uint64_t ends_on_standby = 0;
  uint64_t own = 0;
  uint64_t filtered = 0;

  void Add(FlowClass what);
  bool operator==(const Counts&) const = default;
};
void Write(const Counts& counts, v1::ClassCounts& message);
Counts Read(const v1::ClassCounts& message);

// Which flows of a table concern both nodes: the same answer on both. Immutable; any thread.
class Scope {
 public:
  // More addresses no node has.
  static constexpr int kMaxAddresses = 4096;

  Scope(Filter filter, LocalAddresses master, LocalAddresses standby)
      : filter_(std::move(filter)), master_(std::move(master)), standby_(std::move(standby)) {}

  FlowClass ClassOf(const Flow& flow) const;
  // It must be the same in both kernels.
  static bool IsReplicated(FlowClass what) {
    return what != FlowClass::kEndsOnStandby && what != FlowClass::kOwn &&
           what != FlowClass::kFiltered;
  }

  void Write(v1::ComparisonScope& message) const;
  // INVALID_ARGUMENT names what is no address, or that there are too many.
  static absl::StatusOr<Scope> Read(const v1::ComparisonScope& message, Filter filter);

 private:
  Filter filter_;
  LocalAddresses master_;
  LocalAddresses standby_;
};

// Addresses as they travel.
template <typename Messages>
void Write(const LocalAddresses& addresses, Messages& messages) {
  for (const Address& address : addresses.List()) {
    if (messages.size() < Scope::kMaxAddresses)
      messages.Add(std::string(address.begin(), address.end()));
  }
}
template <typename Messages>
absl::StatusOr<LocalAddresses> ReadAddresses(const Messages& messages) {
  if (messages.size() > Scope::kMaxAddresses)
    return absl::InvalidArgumentError("addresses: more than 4096");
  std::vector<Address> all;
  for (const std::string& bytes : messages) {
    Address address;
    if (bytes.size() != address.size())
      return absl::InvalidArgumentError("addresses: expected 16 bytes each");
    std::copy(bytes.begin(), bytes.end(), address.begin());
    all.push_back(address);
  }
  return LocalAddresses(all);
}

}  // namespace zcluster::conntrack
