// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/heartbeat/options.h"

namespace zcluster::heartbeat {

// The name of our one VRRP instance, as notify lines have it.
inline constexpr absl::string_view kInstance = "zcluster";

// keepalived's configuration for `options`, which must be valid. The same options give the same
// text.
std::string Render(const Options& options);

// The addresses, the anchor too, that a keepalived with this configuration of ours moves: whatever
// the options say by now, they may be on this node.
std::vector<Vip> AddressesIn(absl::string_view config);

}  // namespace zcluster::heartbeat
