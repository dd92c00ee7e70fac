// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zcluster::configsync {

// An XXH3-128 digest. It tells contents apart that differ by chance or by change; it is no
// protection against somebody who makes them collide, which the peer's authentication is.
struct Digest {
  uint64_t high = 0;
  uint64_t low = 0;
  auto operator<=>(const Digest&) const = default;

  template <typename H>
  friend H AbslHashValue(H state, const Digest& digest) {
    return H::combine(std::move(state), digest.low);  // it is a hash already
  }

  // 16 bytes, big-endian, as on the wire.
  std::string Bytes() const;
  // 32 lower-case hexadecimal digits.
  std::string Hex() const;
  // INVALID_ARGUMENT unless `bytes` are 16.
  static absl::StatusOr<Digest> FromBytes(absl::string_view bytes);
};

// Digests what is added. Not thread-safe.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  void Add(absl::string_view bytes);
  // Its length first, so that where one text ends and the next begins is part of the digest.
  void AddText(absl::string_view text);
  void AddNumber(uint64_t number);
  Digest Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A file's content.
struct Content {
  uint64_t size = 0;
  Digest digest;
};

// Reads `fd` from its position to its end. RESOURCE_EXHAUSTED beyond `limit` bytes.
absl::StatusOr<Content> DigestOf(int fd, uint64_t limit);

}  // namespace zcluster::configsync
