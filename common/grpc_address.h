// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Addresses as gRPC writes them, and as people do. Pure functions.
namespace zcluster {

// The host alone: "10.0.0.2" of "10.0.0.2:7700" or of gRPC's "ipv4:10.0.0.2:7700", "fd00::2" of
// "[fd00::2]:7700" or of gRPC's "ipv6:%5Bfd00::2%5D:7700". What holds no port is returned
// unchanged.
std::string HostOf(absl::string_view address);

// gRPC's name of a target with several `addresses`, "10.0.0.2:7700" or "[fd00::2]:7700", in their
// order. One target holds one family: where both occur, the IPv4 ones are written as IPv6
// (::ffff:10.0.0.2).
std::string TargetOf(const std::vector<std::string>& addresses);

}  // namespace zcluster
