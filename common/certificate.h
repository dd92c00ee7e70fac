// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Is a certificate good, and if not, why? All in memory; any thread.
namespace zcluster::tls {

// What the certificate is to be used for.
enum class Use { kServer, kClient };

// A certificate under question, in PEM.
struct Candidate {
  absl::string_view certificate;
  absl::string_view chain;  // intermediate ones; may repeat the certificate; may be empty
  absl::string_view ca;     // what we trust
  // How sentences call it: "the peer's certificate", "our certificate /etc/zcluster/node.crt".
  absl::string_view called;
};

// Who the candidate is: its only SAN URI. UNAUTHENTICATED unless it is signed by the CA (through
// its chain), is valid now and for `use`, has a key that TLS 1.3 needs, and carries just one SAN
// URI. `expected` is what sentences say was hoped for: "an operator of the pair lab".
absl::StatusOr<std::string> Identify(const Candidate& candidate, Use use,
                                     absl::string_view expected);

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
