// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "agent/conntrack/kernel.h"
#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {

// Fills a namespace's table to the last entry with connections that nobody replicates nor sweeps
// (loopback), and that the kernel does not drop for others (assured). The maximum is that of the
// whole machine, and stays.
class Crowd {
 public:
  explicit Crowd(const Netns& netns) : netns_(netns) {
    TableFill fill;
    netns_.Run([&] { fill = ReadTableFill(); });
    maximum_ = fill.maximum;
    EXPECT_GT(maximum_, 0U);
    EXPECT_LE(maximum_, 1U << 21) << "too many to fill";
    for (uint64_t i = fill.entries; i < maximum_; ++i) {
      Flow flow = Plain(Key(IPPROTO_UDP, "127.0.0.1", static_cast<uint16_t>(i), "127.0.0.1", 9));
      flow.key.destination[2] = flow.reply.source[2] = static_cast<uint8_t>(i >> 16);
      flows_.push_back(flow);
    }
    EXPECT_EQ(Change(netns_, Verb::kCreate, flows_), 0U);
  }

  uint64_t maximum() const { return maximum_; }

  // So many make room.
  void Leave(size_t many) {
    many = std::min(many, flows_.size());
    const auto first = flows_.end() - static_cast<std::ptrdiff_t>(many);
    EXPECT_EQ(Change(netns_, Verb::kDelete, {first, flows_.end()}), 0U);
    flows_.erase(first, flows_.end());
  }
  void LeaveAll() { Leave(flows_.size()); }

 private:
  const Netns& netns_;
  uint64_t maximum_ = 0;
  std::vector<Flow> flows_;
};

}  // namespace zcluster::conntrack
