// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/top.h"

#include <xxhash.h>

#include <algorithm>
#include <string>
#include <vector>

namespace zcluster::conntrack {

Top::Group Top::GroupOf(const Flow& flow) const {
  Group group;
  group.family = flow.key.family;
  if (by_ == v1::TOP_BY_CLIENT) {
    group.address = flow.key.source;
    return group;
  }
  const bool service = by_ == v1::TOP_BY_SERVICE;
  group.protocol = flow.key.protocol;
  group.address = service ? flow.key.destination : flow.reply.source;
  if (!flow.key.IsIcmp()) group.port = service ? flow.key.destination_port : flow.reply.source_port;
  return group;
}

void Top::Add(const Flow& flow) {
  bool fresh = false;
  if (now_.size() < kMaxFlows) {
    const uint64_t life = XXH3_64bits_withSeed(&flow.key, sizeof flow.key, flow.id);
    now_.insert(life);
    fresh = !first_ && !before_.contains(life);
  }
  ++all_.flows;
  all_.fresh += fresh;
  const Group group = GroupOf(flow);
  auto at = groups_.find(group);
  if (at == groups_.end()) {
    if (groups_.size() >= kMaxGroups) {
      ++ungrouped_;
      return;
    }
    at = groups_.emplace(group, Figures()).first;
  }
  ++at->second.flows;
  at->second.fresh += fresh;
}

v1::TopFlows Top::End(absl::Duration since, size_t most) {
  using Row = std::pair<Group, Figures>;
  std::vector<Row> rows(groups_.begin(), groups_.end());
  const auto larger = [](const Row& a, const Row& b) {
    if (a.second.flows != b.second.flows) return a.second.flows > b.second.flows;
    return a.first.address < b.first.address;  // so that rows of one size keep their places
  };
  most = std::min(most, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(most), rows.end(), larger);
  const bool has_rates = !first_ && now_.size() < kMaxFlows && since > absl::ZeroDuration();
  const auto rate = [&](uint32_t fresh) { return fresh / absl::ToDoubleSeconds(since); };
  v1::TopFlows message;
  for (size_t i = 0; i < most; ++i) {
    const auto& [group, figures] = rows[i];
    v1::TopRow& row = *message.add_rows();
    const size_t size = group.family == AF_INET ? 4 : 16;
    row.set_address(std::string(group.address.begin(), group.address.begin() + size));
    row.set_port(group.port);
    row.set_protocol(group.protocol);
    row.set_flows(figures.flows);
    if (has_rates) row.set_new_per_second(rate(figures.fresh));
  }
  message.set_flows(all_.flows);
  if (has_rates) message.set_new_per_second(rate(all_.fresh));
  message.set_groups(groups_.size());
  message.set_ungrouped(ungrouped_);

  before_ = std::exchange(now_, {});
  groups_.clear();
  all_ = {};
  ungrouped_ = 0;
  first_ = before_.size() >= kMaxFlows;
  return message;
}

}  // namespace zcluster::conntrack
