// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/wire_fields.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace zcluster::conntrack {

uint32_t V4(const Address& address) {
  uint32_t value = 0;
  std::memcpy(&value, address.data(), sizeof value);
  return ntohl(value);
}

Address FromV4(uint32_t number) {
  Address address{};
  const uint32_t value = htonl(number);
  std::memcpy(address.data(), &value, sizeof value);
  return address;
}

std::string V6(const Address& address) { return std::string(address.begin(), address.end()); }

absl::Status Wrong(absl::string_view field, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": expected ", expected));
}

absl::Status ReadPort(uint32_t value, absl::string_view field, uint16_t& port) {
  if (value > 0xffff) return Wrong(field, "0 to 65535");
  port = static_cast<uint16_t>(value);
  return absl::OkStatus();
}

absl::Status ReadV6(const std::string& bytes, absl::string_view field, Address& address) {
  if (bytes.size() != address.size()) return Wrong(field, "16 bytes");
  std::copy(bytes.begin(), bytes.end(), address.begin());
  return absl::OkStatus();
}

absl::Status CheckName(absl::string_view name, absl::string_view field, size_t size) {
  const bool printable = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (name.size() < size && printable) return absl::OkStatus();
  return Wrong(field, absl::StrCat("at most ", size - 1, " printable characters"));
}

absl::Status ReadProtocol(uint32_t protocol, FlowKey& key) {
  if (protocol > 0xff || !IsReplicable(static_cast<uint8_t>(protocol), key.family)) {
    return Wrong("protocol", "1 to 255, the family's own ICMP, GRE over IPv4 only, and no DCCP");
  }
  key.protocol = static_cast<uint8_t>(protocol);
  return absl::OkStatus();
}

}  // namespace zcluster::conntrack
