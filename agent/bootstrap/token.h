// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"

// A token as text, and what is shown in its place. Pure functions.
namespace zcluster::bootstrap {

// Bytes of a token's secret: more than anybody can guess.
inline constexpr size_t kSecretBytes = 20;

// The two ends of one TLS connection, by the fingerprints of the keys that they have proved to
// hold.
struct Session {
  std::string node;
  std::string caller;
};

// The word that a person carries from one node to the other: "zc1.", the node's fingerprint, ".",
// the secret with a checksum. `fingerprint` as pki::KeyFingerprint writes it. (ParseToken, its
// reverse, is in bootstrap.h.)
std::string FormatToken(absl::string_view fingerprint, absl::string_view secret);

// What the node keeps of a secret, and what keys the proof: SHA-256, 32 bytes.
std::string HashOf(absl::string_view secret);

// Shows that the caller knows the secret behind `hash`, on this session and on no other:
// HMAC-SHA256, 32 bytes.
std::string ProofOf(absl::string_view hash, const Session& session);

// Whether they are equal, in a time that does not tell where they differ.
bool SameProof(absl::string_view one, absl::string_view other);

}  // namespace zcluster::bootstrap
