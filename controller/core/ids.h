// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {

// One agent of the fleet: a node of a pair, both as the fleet calls them. Unique; plain value.
struct AgentId {
  std::string pair;
  std::string node;
  auto operator<=>(const AgentId&) const = default;
  bool operator==(const AgentId&) const = default;
  // For people: "web-1/lb2".
  std::string Name() const { return absl::StrCat(pair, "/", node); }
  template <typename H>
  friend H AbslHashValue(H h, const AgentId& id) {
    return H::combine(std::move(h), id.pair, id.node);
  }
};

}  // namespace zcluster::controller
