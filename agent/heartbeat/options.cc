// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/heartbeat/address.h"
#include "common/status.h"

namespace zcluster::heartbeat {
namespace {

absl::Status ValidateInterface(absl::string_view option, const std::string& name) {
  // IFNAMSIZ counts the final zero. Quotes, braces and comment signs would change what keepalived
  // reads.
  if (name.empty() || name.size() > 15 ||
      name.find_first_of(" \t\n\"'{}#!/~$") != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": \"", name, "\" is not an interface name"));
  }
  return absl::OkStatus();
}

absl::Status ValidateIpv4(absl::string_view option, const std::string& text) {
  absl::StatusOr<Address> address = Address::Parse(text);
  if (!address.ok() || address->family() != AF_INET || text.find('/') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": \"", text, "\" is not an IPv4 address"));
  }
  return absl::OkStatus();
}

absl::Status ValidatePath(absl::string_view option, const std::string& path) {
  if (path.empty() || path[0] != '/' || path.find_first_of(" \t\n\"'{}#!~$") != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        option, ": \"", path, "\" must be an absolute path without spaces, quotes and braces"));
  }
  return absl::OkStatus();
}

}  // namespace

Vip AnchorOf(const Options& options) {
  return {.address = absl::StrCat("169.254.77.", options.router_id, "/32"), .interface = "lo"};
}

std::vector<Vip> AddressesLost(const Options& before, const Options& after) {
  const auto same = [](const Vip& a, const Vip& b) {
    const absl::StatusOr<Address> first = Address::Parse(a.address);
    const absl::StatusOr<Address> second = Address::Parse(b.address);
    return first.ok() && second.ok() && first->SameHost(*second) && a.interface == b.interface;
  };
  std::vector<Vip> lost = before.vips;
  lost.push_back(AnchorOf(before));
  std::vector<Vip> kept = after.vips;
  kept.push_back(AnchorOf(after));
  lost.erase(std::remove_if(lost.begin(), lost.end(),
                            [&](const Vip& vip) {
                              return std::any_of(kept.begin(), kept.end(), [&](const Vip& other) {
                                return same(vip, other);
                              });
                            }),
             lost.end());
  return lost;
}

absl::Status Validate(const Options& options) {
  ZC_RETURN_IF_ERROR(ValidateInterface("interface", options.interface));
  ZC_RETURN_IF_ERROR(ValidateIpv4("address", options.address));
  ZC_RETURN_IF_ERROR(ValidateIpv4("peer_address", options.peer_address));
  if (options.router_id < 1 || options.router_id > 255) {
    return absl::InvalidArgumentError(
        absl::StrCat("router_id: ", options.router_id, " is not in 1 to 255"));
  }
  for (const Vip& vip : options.vips) {
    ZC_RETURN_IF_ERROR(Annotate(Address::Parse(vip.address).status(), "vips"));
    ZC_RETURN_IF_ERROR(ValidateInterface("vips", vip.interface));
  }
  ZC_RETURN_IF_ERROR(ValidatePath("state_dir", options.state_dir));
  ZC_RETURN_IF_ERROR(ValidatePath("run_dir", options.run_dir));
  return ValidatePath("keepalived", options.keepalived);
}

}  // namespace zcluster::heartbeat
