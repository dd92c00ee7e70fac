// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/heartbeat/options.h"

// What addresses this node has, by rtnetlink, in the calling thread's network namespace. Each call
// is one short exchange with the kernel.
namespace zcluster::heartbeat {

// An IPv4 or IPv6 address with a prefix length. Immutable.
class Address {
 public:
  // "192.0.2.10/24", "2001:db8::10/64"; without a length it is the whole address. INVALID_ARGUMENT
  // otherwise.
  static absl::StatusOr<Address> Parse(absl::string_view text);

  int family() const { return family_; }
  int prefix_length() const { return prefix_length_; }
  // In network order, `size()` bytes: 4 or 16.
  const uint8_t* data() const { return bytes_.data(); }
  size_t size() const { return family_ == AF_INET ? 4 : 16; }
  // Whatever the prefix lengths, and however they were written.
  bool SameHost(const Address& other) const {
    return family_ == other.family_ && bytes_ == other.bytes_;
  }

 private:
  Address() = default;

  int family_ = AF_INET;
  int prefix_length_ = 0;
  std::array<uint8_t, 16> bytes_ = {};
};

// Whether the interface of `vip` has its address, whatever the prefix length. False if there is no
// such interface.
absl::StatusOr<bool> HasAddress(const Vip& vip);

// IPv6 addresses of `vips` that are on their interfaces, but that the kernel does not use because
// it found them on another machine (dadfailed; RFC 4862, 5.4.5).
absl::StatusOr<std::vector<Vip>> FindDuplicates(const std::vector<Vip>& vips);

// Takes `vips` off their interfaces; those that are not there are no error. The first error of the
// others is returned, after all were tried.
absl::Status RemoveAddresses(const std::vector<Vip>& vips);

}  // namespace zcluster::heartbeat
