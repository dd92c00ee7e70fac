// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/filter.h"

#include <ifaddrs.h>

#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace zcluster::conntrack {
namespace {

bool IsLoopback(const Address& address, uint8_t family) {
  if (family == AF_INET) return address[0] == 127;
  static constexpr Address kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address == kLoopback;
}

bool IsLinkLocalMulticast(const Address& address, uint8_t family) {
  if (family == AF_INET) return address[0] == 224 && address[1] == 0 && address[2] == 0;
  return address[0] == 0xff && (address[1] & 0xf) <= 2;
}

}  // namespace

absl::StatusOr<Filter> Filter::Make(const std::vector<std::string>& link, FlowRules rules) {
  Filter filter;
  filter.rules_ = Rules(std::move(rules));
  for (const std::string& text : link) {
    Address address;
    uint8_t family = 0;
    if (!ParseAddress(text, address, family)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", text, "\" is not an IP address of the link"));
    }
    filter.link_.insert(address);
  }
  return filter;
}

bool Filter::Replicates(const FlowKey& key) const {
  if (IsLoopback(key.source, key.family) || IsLoopback(key.destination, key.family)) return false;
  if (IsLinkLocalMulticast(key.destination, key.family)) return false;
  return !(link_.contains(key.source) && link_.contains(key.destination));
}

LocalAddresses LocalAddresses::Read() {
  LocalAddresses local;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0)
    return local;  // then nothing counts as ours, as on a node without addresses
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    Address address{};
    if (at->ifa_addr->sa_family == AF_INET) {
      std::memcpy(address.data(), &reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr, 4);
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      std::memcpy(address.data(), &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr,
                  16);
    } else {
      continue;
    }
    local.addresses_.insert(address);
  }
  ::freeifaddrs(list);
  return local;
}

bool LocalAddresses::EndsHere(const Flow& flow) const {
  return addresses_.contains(flow.key.source) || addresses_.contains(flow.reply.source);
}

}  // namespace zcluster::conntrack
