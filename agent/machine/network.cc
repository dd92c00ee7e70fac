// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>

#include <array>

#include "absl/types/optional.h"
#include "agent/machine/machine.h"

namespace zcluster::machine {
namespace {

using Bytes = std::array<unsigned char, 16>;

absl::optional<Bytes> BytesOf(const std::string& text, bool v6) {
  Bytes bytes = {};
  if (::inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) != 1) return absl::nullopt;
  return bytes;
}

bool SameUpTo(int bits, const Bytes& a, const Bytes& b) {
  for (size_t i = 0; bits > 0; ++i, bits -= 8) {
    const int differ = a[i] ^ b[i];
    if ((bits >= 8 ? differ : differ >> (8 - bits)) != 0) return false;
  }
  return true;
}

}  // namespace

bool SameNetwork(const Address& address, absl::string_view other) {
  const absl::optional<Bytes> own = BytesOf(address.address, address.v6);
  const absl::optional<Bytes> others = BytesOf(std::string(other), address.v6);
  return own.has_value() && others.has_value() && SameUpTo(address.prefix_length, *own, *others);
}

const Address* SourceFor(const std::vector<Address>& addresses, absl::string_view other) {
  const Address* best = nullptr;
  for (const Address& address : addresses) {
    if (address.vip || address.address == other || address.interface == "lo") continue;
    if (!SameNetwork(address, other)) continue;
    if (best == nullptr || address.prefix_length > best->prefix_length) best = &address;
  }
  return best;
}

std::string InterfaceFor(const std::vector<Address>& addresses, absl::string_view vip) {
  const Address* source = SourceFor(addresses, vip);
  return source == nullptr ? "" : source->interface;
}

}  // namespace zcluster::machine
