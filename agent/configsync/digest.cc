// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/digest.h"

#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status.h"

namespace zcluster::configsync {

std::string Digest::Bytes() const {
  std::string bytes(16, '\0');
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<char>(low >> (56 - 8 * i));
  }
  return bytes;
}

std::string Digest::Hex() const { return absl::BytesToHexString(Bytes()); }

absl::StatusOr<Digest> Digest::FromBytes(absl::string_view bytes) {
  if (bytes.size() != 16) {
    return absl::InvalidArgumentError(absl::StrCat("a digest has 16 bytes, not ", bytes.size()));
  }
  Digest digest;
  for (size_t i = 0; i < 8; ++i) {
    digest.high = digest.high << 8 | static_cast<uint8_t>(bytes[i]);
    digest.low = digest.low << 8 | static_cast<uint8_t>(bytes[8 + i]);
  }
  return digest;
}

struct Hasher::State {
  XXH3_state_t* xxh = XXH3_createState();
  ~State() { XXH3_freeState(xxh); }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  ZC_CHECK(state_->xxh != nullptr);
  XXH3_128bits_reset(state_->xxh);
}

Hasher::~Hasher() = default;

void Hasher::Add(absl::string_view bytes) {
  XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}

void Hasher::AddText(absl::string_view text) {
  AddNumber(text.size());
  Add(text);
}

void Hasher::AddNumber(uint64_t number) {
  char bytes[8];
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (56 - 8 * i));
  Add(absl::string_view(bytes, sizeof(bytes)));
}

Digest Hasher::Finish() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh);
  return Digest{hash.high64, hash.low64};
}

absl::StatusOr<Content> DigestOf(int fd, uint64_t limit) {
  Hasher hasher;
  Content content;
  std::vector<char> buffer(256 << 10);
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("read");
    if (got == 0) break;
    content.size += static_cast<uint64_t>(got);
    if (content.size > limit) {
      return absl::ResourceExhaustedError(absl::StrCat("larger than ", limit, " bytes"));
    }
    hasher.Add(absl::string_view(buffer.data(), static_cast<size_t>(got)));
  }
  content.digest = hasher.Finish();
  return content;
}

}  // namespace zcluster::configsync
