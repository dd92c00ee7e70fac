// SPDX-License-Identifier: Apache-2.0
#include "common/digest.h"

#include <openssl/evp.h>

#include "common/check.h"

namespace zcluster {

std::string Sha256(absl::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ZC_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) == 1);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace zcluster
