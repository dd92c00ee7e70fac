// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace zcluster::bootstrap {

// A key, and a certificate that says nothing but the key. PEM.
struct Credential {
  std::string key;
  std::string certificate;
  std::string fingerprint;
};

// A new one, in memory: a caller's, for one join.
absl::StatusOr<Credential> MakeCredential();

// The node's, in `directory`: DIRECTORY/node.key and node.crt, 0600. The key is made once; the
// certificate again whenever it is missing or is not the key's.
absl::StatusOr<Credential> LoadCredential(const std::string& directory);

}  // namespace zcluster::bootstrap
