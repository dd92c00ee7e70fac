// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// A one-time token as text, and what is shown in its place. Pure functions.
namespace zcluster::token {

// Bytes of a token's secret: more than anybody can guess.
inline constexpr size_t kSecretBytes = 20;

// The two ends of one TLS connection, by the fingerprints of the keys that they have proved to
// hold.
struct Session {
  std::string maker;  // of the token
  std::string caller;
};

// What a token lets its bearer do. Neither is taken for the other, and no proof of one serves for
// the other.
enum class Kind {
  kJoin,       // join the node that made it to a pair: "zc1."
  kEnrolment,  // enrol a node with the controller that made it: "zf1."
};

// What a token says.
struct Token {
  std::string fingerprint;  // of whoever made it
  std::string secret;       // wipe it
};

// The word that a person carries from one machine to the other: the kind, the maker's fingerprint,
// ".", the secret with a checksum. `fingerprint` as pki::KeyFingerprint writes it.
std::string Format(Kind kind, absl::string_view fingerprint, absl::string_view secret);

// The reverse. INVALID_ARGUMENT for what is no token of that kind ("mistyped?"), without repeating
// it.
absl::StatusOr<Token> Parse(Kind kind, absl::string_view text);

// What the node keeps of a secret, and what keys the proof: SHA-256, 32 bytes.
std::string HashOf(absl::string_view secret);

// Shows that the caller knows the secret behind `hash`, on this session and on no other:
// HMAC-SHA256, 32 bytes.
std::string ProofOf(Kind kind, absl::string_view hash, const Session& session);

// What a node signs with its key in its pair when it enrols, so that a copied certificate is of no
// use to others: bound to the token and the session, because the proof is.
std::string MemberText(absl::string_view proof);

// Whether they are equal, in a time that does not tell where they differ.
bool SameProof(absl::string_view one, absl::string_view other);

}  // namespace zcluster::token
