// SPDX-License-Identifier: Apache-2.0
#include "agent/machine/machine.h"

#include <algorithm>
#include <map>
#include <set>

#include "agent/machine/refusal.h"
#include "agent/machine/rtnetlink.h"
#include "common/status.h"

namespace zcluster::machine {

absl::StatusOr<std::vector<Address>> Addresses(const std::vector<std::string>& vips) {
  ZC_ASSIGN_OR_RETURN(const std::vector<Link> links, Links());
  ZC_ASSIGN_OR_RETURN(std::vector<LinkAddress> rows, LinkAddresses());
  // The kernel gives one family after the other.
  std::stable_sort(rows.begin(), rows.end(),
                   [](const LinkAddress& a, const LinkAddress& b) { return a.index < b.index; });
  std::map<int, const Link*> by_index;
  for (const Link& link : links) by_index[link.index] = &link;
  const std::set<std::string> moving(vips.begin(), vips.end());

  std::vector<Address> addresses;
  for (const LinkAddress& row : rows) {
    const auto found = by_index.find(row.index);
    // An interface that was made between the two dumps.
    if (found == by_index.end()) continue;
    const Link& link = *found->second;
    if (!row.global && !link.loopback) continue;
    const auto master = by_index.find(link.master);
    const std::string master_name = master == by_index.end() ? "" : master->second->name;
    const bool vip = moving.count(row.text) != 0;
    addresses.push_back({.address = row.text,
                         .prefix_length = row.prefix_length,
                         .v6 = row.v6,
                         .interface = link.name,
                         .refused = WhyRefused(link, row, master_name, vip),
                         .vip = vip});
  }
  return addresses;
}

const Address* Find(const std::vector<Address>& addresses, absl::string_view address) {
  const auto found = std::find_if(addresses.begin(), addresses.end(),
                                  [&](const Address& a) { return a.address == address; });
  return found == addresses.end() ? nullptr : &*found;
}

}  // namespace zcluster::machine
