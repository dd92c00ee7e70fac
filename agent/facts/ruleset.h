// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace zcluster::facts {

// The generation of nftables' rules in this network namespace: another one after each change. None
// if the kernel does not say.
std::optional<uint32_t> RulesetGeneration();

// All rules, as `nft -j` prints them, without what is in sets: at most 4 MiB. Waits at most 2 s,
// and no longer than until `stop` is readable. None if `nft` fails.
std::optional<std::string> ReadRuleset(const std::string& nft, int stop);

}  // namespace zcluster::facts
