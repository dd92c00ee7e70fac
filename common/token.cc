// SPDX-License-Identifier: Apache-2.0
#include "common/token.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/check.h"
#include "common/digest.h"
#include "common/pki.h"

namespace zcluster::token {
namespace {

absl::string_view Form(Kind kind) { return kind == Kind::kJoin ? "zc1" : "zf1"; }

constexpr char kFingerprint[] = "SHA256:";
// Of a mistyped token one in four thousand million passes.
constexpr size_t kChecksumBytes = 4;
// Said first by whoever signs something with a token's hash, so that no proof is good for anything
// else.
absl::string_view Purpose(Kind kind) {
  return kind == Kind::kJoin ? "zcluster join 1" : "zcluster enrol 1";
}

absl::string_view Hint(Kind kind) {
  return kind == Kind::kJoin
             ? "`zctl node token` on the node to be joined prints one word that begins with zc1."
             : "`zctl fleet token` at the controller prints one word that begins with zf1.";
}

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Checksum(Kind kind, absl::string_view fingerprint, absl::string_view secret) {
  return Sha256(absl::StrCat(Form(kind), fingerprint, secret)).substr(0, kChecksumBytes);
}

}  // namespace

std::string Format(Kind kind, absl::string_view fingerprint, absl::string_view secret) {
  std::string key;
  absl::ConsumePrefix(&fingerprint, kFingerprint);
  ZC_CHECK(absl::Base64Unescape(fingerprint, &key));
  std::string tail = absl::StrCat(secret, Checksum(kind, key, secret));
  const std::string text = absl::StrCat(Form(kind), ".", absl::WebSafeBase64Escape(key), ".",
                                        absl::WebSafeBase64Escape(tail));
  pki::Wipe(tail);
  return text;
}

absl::StatusOr<Token> Parse(Kind kind, absl::string_view text) {
  // The text is a secret, and is not repeated.
  const absl::Status none = absl::InvalidArgumentError(
      absl::StrCat("this is no token, or not a whole one (mistyped?): ", Hint(kind)));
  const std::vector<absl::string_view> parts =
      absl::StrSplit(absl::StripAsciiWhitespace(text), '.');
  std::string key;
  std::string secret;
  if (parts.size() != 3 || parts[0] != Form(kind) || !absl::WebSafeBase64Unescape(parts[1], &key) ||
      key.size() != SHA256_DIGEST_LENGTH || !absl::WebSafeBase64Unescape(parts[2], &secret) ||
      secret.size() != kSecretBytes + kChecksumBytes) {
    return none;
  }
  const std::string checksum = secret.substr(kSecretBytes);
  secret.resize(kSecretBytes);
  if (Checksum(kind, key, secret) != checksum) return none;
  const std::string base64 = absl::Base64Escape(key);
  return Token{absl::StrCat(kFingerprint, absl::StripSuffix(base64, "=")), std::move(secret)};
}

std::string HashOf(absl::string_view secret) { return Sha256(secret); }

std::string ProofOf(Kind kind, absl::string_view hash, const Session& session) {
  // Fingerprints are of one length, so no two sessions make the same text.
  const std::string text = absl::StrCat(Purpose(kind), "\n", session.maker, "\n", session.caller);
  std::string proof(SHA256_DIGEST_LENGTH, '\0');
  unsigned size = 0;
  ZC_CHECK(HMAC(EVP_sha256(), hash.data(), static_cast<int>(hash.size()), Bytes(text), text.size(),
                reinterpret_cast<unsigned char*>(proof.data()), &size) != nullptr);
  return proof;
}

std::string MemberText(absl::string_view proof) {
  return absl::StrCat("zcluster member 1\n", proof);
}

bool SameProof(absl::string_view one, absl::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace zcluster::token
