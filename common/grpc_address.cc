// SPDX-License-Identifier: Apache-2.0
#include "common/grpc_address.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace zcluster {
namespace {

bool IsV6(absl::string_view address) { return absl::StartsWith(address, "["); }

std::string AsV6(const std::string& address) {
  if (IsV6(address)) return address;
  const size_t colon = address.rfind(':');
  return absl::StrCat("[::ffff:", address.substr(0, colon), "]",
                      address.substr(std::min(colon, address.size())));
}

}  // namespace

std::string HostOf(absl::string_view address) {
  if (!absl::ConsumePrefix(&address, "ipv4:")) absl::ConsumePrefix(&address, "ipv6:");
  std::string plain = absl::StrReplaceAll(address, {{"%5B", "["}, {"%5D", "]"}});
  if (IsV6(plain)) {
    plain = plain.substr(1, plain.find(']') - 1);
  } else if (std::count(plain.begin(), plain.end(), ':') == 1) {
    plain.resize(plain.find(':'));
  }
  return std::string(absl::StripPrefix(plain, "::ffff:"));
}

std::string TargetOf(const std::vector<std::string>& addresses) {
  if (std::none_of(addresses.begin(), addresses.end(), IsV6)) {
    return absl::StrCat("ipv4:", absl::StrJoin(addresses, ","));
  }
  std::vector<std::string> all;
  for (const std::string& address : addresses) all.push_back(AsV6(address));
  return absl::StrCat("ipv6:",
                      absl::StrReplaceAll(absl::StrJoin(all, ","), {{"[", "%5B"}, {"]", "%5D"}}));
}

}  // namespace zcluster
