// SPDX-License-Identifier: Apache-2.0
#include "common/values.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/status.h"
#include "common/strings.h"

namespace zcluster::values {
namespace {

constexpr size_t kMaxName = 63;
constexpr absl::string_view kExpectedAddress =
    "an IPv4 or IPv6 address, such as 192.0.2.10 or 2001:db8::10";

bool AllOf(absl::string_view text, absl::string_view extra, bool upper) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
           (upper && absl::ascii_isupper(static_cast<unsigned char>(c))) ||
           absl::StrContains(extra, c);
  });
}

bool ParseDigits(absl::string_view text, int* value) {
  return IsDigits(text) && absl::SimpleAtoi(text, value);
}

}  // namespace

absl::Status Invalid(absl::string_view value, absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("is '", Printable(value), "'; expected ", expected));
}

bool IsDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  Address result;
  std::string host(text);
  // inet_pton() stops at a NUL, and would leave what follows unseen.
  if (HasControlCharacter(text)) return Invalid(text, kExpectedAddress);
  const size_t slash = host.find('/');
  if (slash != std::string::npos) {
    if (!ParseDigits(host.substr(slash + 1), &result.prefix_length)) {
      return Invalid(text, "an address with a prefix length, such as 192.0.2.10/24");
    }
    host.resize(slash);
  }
  unsigned char bytes[16];
  char canonical[INET6_ADDRSTRLEN];
  result.v6 = absl::StrContains(host, ':');
  const int family = result.v6 ? AF_INET6 : AF_INET;
  if (::inet_pton(family, host.c_str(), bytes) != 1 ||
      result.prefix_length > (result.v6 ? 128 : 32)) {
    return Invalid(text, kExpectedAddress);
  }
  result.text = ::inet_ntop(family, bytes, canonical, sizeof canonical);
  return result;
}

absl::Status CheckUnicast(const Address& address) {
  unsigned char bytes[16];
  ::inet_pton(address.v6 ? AF_INET6 : AF_INET, address.text.c_str(), bytes);
  // RFC 1122, 3.2.1.3; 224.0.0.0 and above are multicast, reserved, broadcast. RFC 4291, 2.4.
  const bool unicast = address.v6
                           ? bytes[0] != 0xff && address.text != "::" && address.text != "::1"
                           : bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224;
  if (!unicast) return Invalid(address.text, "an address that one node can have");
  return absl::OkStatus();
}

absl::StatusOr<int> ParseEndpoint(absl::string_view text) {
  constexpr absl::string_view kExpected =
      "ADDRESS:PORT, such as 10.0.0.2:7700 or [2001:db8::2]:7700";
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return Invalid(text, kExpected);
  absl::string_view host = text.substr(0, colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  int port = 0;
  const absl::StatusOr<Address> address = ParseAddress(host);
  if (!address.ok() || address->prefix_length >= 0 || address->v6 != bracketed ||
      !ParseDigits(text.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return Invalid(text, kExpected);
  }
  return port;
}

absl::Status CheckName(absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("is missing");
  if (name.size() > kMaxName || name.front() == '-' || !AllOf(name, "-", false)) {
    return Invalid(name, "lower-case letters, digits and '-', at most 63");
  }
  return absl::OkStatus();
}

absl::Status CheckNodeName(absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("is missing");
  if (name.size() > kMaxName || name.front() == '-' || name.front() == '.' ||
      !AllOf(name, "-.", true)) {
    return Invalid(name, "a host name: letters, digits, '-' and '.', at most 63");
  }
  return absl::OkStatus();
}

absl::Status CheckText(absl::string_view text) {
  if (HasControlCharacter(text)) return Invalid(text, "a text without control characters");
  return absl::OkStatus();
}

absl::Status CheckFingerprint(absl::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("is missing");
  absl::string_view digest = text;
  // SHA-256 in base64 without padding.
  if (!absl::ConsumePrefix(&digest, "SHA256:") || digest.size() != 43 ||
      !AllOf(digest, "+/", true)) {
    return Invalid(text, "SHA256: and 43 characters of base64");
  }
  return absl::OkStatus();
}

absl::Status CheckPath(absl::string_view path) {
  if (path.empty()) return absl::InvalidArgumentError("is missing");
  ZC_RETURN_IF_ERROR(CheckText(path));
  absl::string_view rest = path;
  if (!absl::ConsumePrefix(&rest, "/") || path.size() > 4096)
    return Invalid(path, "an absolute path");
  for (absl::string_view part : absl::StrSplit(rest, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return Invalid(path, "an absolute path without '//', '.', '..' or a '/' at its end");
    }
  }
  return absl::OkStatus();
}

}  // namespace zcluster::values
