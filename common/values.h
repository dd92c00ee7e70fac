// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// What a single value must look like, whichever file or message it stands in. Errors are the
// problem alone ("is 'x'; expected ..."); the caller says where. Pure.
namespace zcluster::values {

// An IPv4 or IPv6 address in canonical form; with `prefix_length` >= 0 if one was given ("/24").
struct Address {
  std::string text;
  bool v6 = false;
  int prefix_length = -1;
};
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// An address that one node can have: not 0.0.0.0, loopback, multicast or broadcast.
absl::Status CheckUnicast(const Address& address);

// ADDRESS:PORT or [ADDRESS]:PORT, port 1 to 65535; returns the port.
absl::StatusOr<int> ParseEndpoint(absl::string_view text);

// A name of a pair or command: lower-case letters, digits, '-'; at most 63.
absl::Status CheckName(absl::string_view name);
// A host name: letters, digits, '-', '.'; at most 63.
absl::Status CheckNodeName(absl::string_view name);
// Absolute, without empty, "." or ".." parts, without control characters.
absl::Status CheckPath(absl::string_view path);
// Without control characters. May be empty.
absl::Status CheckText(absl::string_view text);
// "SHA256:" and 43 characters of base64.
absl::Status CheckFingerprint(absl::string_view text);

// For whoever checks other values: "is 'value'; expected ...".
absl::Status Invalid(absl::string_view value, absl::string_view expected);
// Digits and nothing else: absl::SimpleAtoi() would pass over white space and a sign.
bool IsDigits(absl::string_view text);

}  // namespace zcluster::values
