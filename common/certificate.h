// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Is a certificate good, and if not, why? All in memory; any thread.
namespace zcluster::tls {

// What the certificate is to be used for.
enum class Use { kServer, kClient };

// What the other side has proved of itself: a certificate that the CA signed, that is good now, and
// whose key it holds.
struct Identity {
  std::string uri;  // the only SAN URI
  std::string key;  // fingerprint of the key, as pki::CertificateFingerprint writes it
};

// A CA's certificates, parsed once for many checks (OpenSSL 3.0 takes a quarter of a millisecond
// for each). Immutable; any thread.
class Trust {
 public:
  // Null if `pem` holds no certificate.
  static std::shared_ptr<const Trust> In(absl::string_view pem);
  ~Trust();

 private:
  friend class ChainCheck;
  struct Store;
  explicit Trust(std::unique_ptr<Store> store);
  const std::unique_ptr<Store> store_;
};

// A certificate under question, in PEM.
struct Candidate {
  absl::string_view certificate;
  absl::string_view chain;  // intermediate ones; may repeat the certificate; may be empty
  absl::string_view ca;     // what we trust
  // How sentences call it: "the peer's certificate", "our certificate /etc/zcluster/node.crt".
  absl::string_view called;
  const Trust* trust = nullptr;  // the same as `ca`, which is then not looked at
};

// Who the candidate is. UNAUTHENTICATED unless it is signed by the CA (through
// its chain), is valid now and for `use`, has a key that TLS 1.3 needs, and carries just one SAN
// URI. `expected` is what sentences say was hoped for: "an operator of the pair lab".
absl::StatusOr<Identity> Identify(const Candidate& candidate, Use use, absl::string_view expected);

// OK only if the candidate is signed by the CA (through its chain), is valid now and for `use`, has
// a key that TLS 1.3 needs, and carries `uri` as its only SAN URI. Otherwise UNAUTHENTICATED with
// one sentence that names the reason; what it quotes of the certificate is printable and short.
absl::Status CheckCertificate(const Candidate& candidate, Use use, absl::string_view uri);

// The only SAN URI of a certificate that a handshake has let in; UNAUTHENTICATED if it has none or
// several.
absl::StatusOr<std::string> UriOf(absl::string_view certificate);

// OK if `certificate`, PEM, has a key of a kind that TLS 1.3 needs and that keeps 1.2 out (see
// RequireTls13), else UNAUTHENTICATED: all that there is to check where keys alone count.
absl::Status CheckKind(absl::string_view called, absl::string_view certificate);

// OK if `key`, a PEM private key, is the one of `certificate`.
absl::Status CheckKey(absl::string_view certificate, absl::string_view key);

}  // namespace zcluster::tls
