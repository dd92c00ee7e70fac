// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zcluster::ctl {

// All that an operator needs to reach a pair from elsewhere. Holds a private key: a secret.
struct Credential {
  std::string pair;
  std::string name;                    // the operator's
  std::vector<std::string> addresses;  // where the nodes serve operators, HOST:PORT, in order
  std::string certificate;             // PEM
  std::string key;                     // PEM
  std::string ca;                      // PEM
};

// A credential file: YAML with the keys pair, operator, addresses, certificate, key, ca.
std::string CredentialText(const Credential& credential);

// Reads one. INVALID_ARGUMENT "`file`:line: what is wrong": not YAML, a key that is missing or not
// known, an address without a port.
absl::StatusOr<Credential> ParseCredential(absl::string_view file, absl::string_view text);

// OK if an agent would let it in now: signed by the CA, not expired, of that pair and operator,
// with its own key. Otherwise UNAUTHENTICATED, or what is wrong with the key, in a sentence.
absl::Status CheckCredential(const Credential& credential);

// OK if `address` is HOST:PORT, with an IPv6 address in brackets.
absl::Status CheckAddress(absl::string_view address);

}  // namespace zcluster::ctl
