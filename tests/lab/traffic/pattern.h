// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace zcluster::traffic {

// The endless stream of bytes that connection `seed` sends: each byte depends on the connection and
// on its position, so that a lost, doubled, moved or foreign byte shows where it is.
class Pattern {
 public:
  explicit Pattern(uint64_t seed) : seed_(seed) {}

  // The bytes from `position` on.
  void Fill(uint64_t position, std::span<uint8_t> bytes) const;
  // Whether `bytes` are what stands at `position`.
  bool Matches(uint64_t position, std::span<const uint8_t> bytes) const;

 private:
  uint8_t At(uint64_t position) const;

  uint64_t seed_;
};

}  // namespace zcluster::traffic
