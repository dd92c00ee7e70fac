// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace zcluster::packetfilter {

// Gives `ruleset` to `nft -f -` and waits for its end, at most `limit`; nft loads all of it or nothing. The error has nft's own
// words. Blocks.
absl::Status LoadRuleset(const std::string& nft, const std::string& ruleset, absl::Duration limit);

}  // namespace zcluster::packetfilter
