// SPDX-License-Identifier: Apache-2.0
#include "controller/enrolment/wrong_tries.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {
namespace {

// Whoever has one IPv6 address has its /64.
std::string Network(const std::string& address) {
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, address.c_str(), &parsed) != 1) return address;
  const in6_addr mapped = parsed;
  if (IN6_IS_ADDR_V4MAPPED(&mapped)) return address;
  return std::string(reinterpret_cast<const char*>(parsed.s6_addr), sizeof parsed.s6_addr / 2);
}

}  // namespace

absl::Status WrongTries::MayTry(const std::string& address, absl::Time now) const {
  absl::Duration wait = all_.Until(now);
  const auto found = by_address_.find(Network(address));
  if (found != by_address_.end()) wait = std::max(wait, found->second.Until(now));
  if (wait <= absl::ZeroDuration()) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("too many wrong tokens came; try again in ",
                   absl::FormatDuration(absl::Ceil(wait, absl::Seconds(1)))));
}

void WrongTries::Count(const std::string& address, absl::Time now) {
  all_.Take(now);
  if (by_address_.size() >= kMostAddresses) {
    absl::erase_if(by_address_, [now](const auto& entry) {
      return entry.second.Until(now, kOfOne) <= absl::ZeroDuration();
    });
  }
  const std::string network = Network(address);
  const auto found = by_address_.find(network);
  if (found == by_address_.end() && by_address_.size() >= kMostAddresses) return;
  by_address_.try_emplace(network, kOfOnePerSecond, kOfOne).first->second.Take(now);
}

}  // namespace zcluster::controller
