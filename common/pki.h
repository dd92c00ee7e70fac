// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Keys, requests and certificates: ECDSA P-256, SHA-256, PEM. In memory; any thread. Private keys
// are PKCS#8 without a password: whoever stores one sees to its mode. What is broken, of another
// kind or beyond 64 KiB is INVALID_ARGUMENT; INTERNAL is OpenSSL without memory or randomness.
namespace zcluster::pki {

// A new private key.
absl::StatusOr<std::string> MakeKey();

// "SHA256:" and 43 characters of base64 without padding: of the DER of the public key (SPKI), as
// OpenSSH writes such. Of a private key, of a certificate (the first, if several), of a request.
absl::StatusOr<std::string> KeyFingerprint(absl::string_view key);
absl::StatusOr<std::string> CertificateFingerprint(absl::string_view certificate);
absl::StatusOr<std::string> RequestFingerprint(absl::string_view request);

// Whether `text` has the form of a fingerprint.
bool IsFingerprint(absl::string_view text);

// A request (PKCS#10) for a certificate that carries `uri` as its only SAN, signed by `key`.
absl::StatusOr<std::string> MakeRequest(absl::string_view key, absl::string_view uri);

// A self-signed CA of that common name, good for ten years, and for nothing but signing
// certificates; path length 0.
absl::StatusOr<std::string> MakeCa(absl::string_view key, absl::string_view name);

// The same CA (key, subject) with new dates: what it has signed stays good.
absl::StatusOr<std::string> RenewCa(absl::string_view key, absl::string_view certificate);

// A self-signed certificate without a name: for the bootstrap port, where keys alone count. Good
// for ten years.
absl::StatusOr<std::string> MakeSelfSigned(absl::string_view key);

// Every certificate begins so long before it is made, for clocks that differ.
constexpr absl::Duration kBackdated = absl::Hours(1);

// How a certificate shall be.
struct Terms {
  std::string uri;          // its only SAN; what the request asks for is not looked at
  absl::Duration lifetime;  // from now, 1 s to ten years; it begins kBackdated earlier
};

// A certificate for the key of `request`, whose signature must be good (INVALID_ARGUMENT). For TLS
// on either side, and no CA. `ca_key` must be the key of `ca`.
absl::StatusOr<std::string> Sign(absl::string_view request, absl::string_view ca,
                                 absl::string_view ca_key, const Terms& terms);

// ECDSA with SHA-256 over `text`, in DER; for a proof that whoever sends it holds `key` now. The
// caller sees to it that no text of one purpose can be taken for another's.
absl::StatusOr<std::string> SignText(absl::string_view key, absl::string_view text);
// OK if `signature` is that of `text` by the key of `certificate` (the first, if several), which
// must be of our kind. INVALID_ARGUMENT: the certificate is none, or of another kind;
// PERMISSION_DENIED: it is not its key's signature. Looks at neither dates nor issuer.
absl::Status VerifyText(absl::string_view certificate, absl::string_view text,
                        absl::string_view signature);

// When a certificate begins and ends; the first, if several.
struct Validity {
  absl::Time from;
  absl::Time to;
};
absl::StatusOr<Validity> ValidityOf(absl::string_view certificate);

// Overwrites the bytes, so that the compiler cannot leave it out, and empties it.
void Wipe(std::string& secret);

}  // namespace zcluster::pki
