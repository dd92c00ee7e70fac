// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// What certificate.cc and pki.cc share of OpenSSL; nobody else needs it. Any thread.
namespace zcluster::openssl {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
inline void FreeBio(BIO* bio) { BIO_free(bio); }

using BioPtr = std::unique_ptr<BIO, Freed<FreeBio>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;

// Forgets what OpenSSL noted of errors meanwhile. What is left in a thread's queue would be taken
// for the failure of the next TLS connection that gRPC serves there.
class ForgetErrors {
 public:
  ForgetErrors() { ERR_set_mark(); }
  ~ForgetErrors() { ERR_pop_to_mark(); }
  ForgetErrors(const ForgetErrors&) = delete;
  ForgetErrors& operator=(const ForgetErrors&) = delete;
};

// More certificates than an honest chain has would only cost us time.
inline constexpr size_t kMaxCertificates = 8;

// No password is ever asked for on a terminal.
inline int NoPassword(char*, int, int, void*) { return 0; }

// Reads `pem`, which must outlive it. The caller has bounded its size far below 2 GiB.
inline BioPtr Reader(absl::string_view pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// The certificates in `pem`, at most kMaxCertificates; none if it holds none.
inline std::vector<X509Ptr> ParseCertificates(absl::string_view pem) {
  const ForgetErrors forget;  // the end of the text is one to OpenSSL
  std::vector<X509Ptr> result;
  const BioPtr bio = Reader(pem);
  while (bio != nullptr && result.size() < kMaxCertificates) {
    X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr));
    if (certificate == nullptr) break;
    result.push_back(std::move(certificate));
  }
  return result;
}

// The private key in `pem`; null if there is none, or one with a password.
inline KeyPtr ParseKey(absl::string_view pem) {
  const ForgetErrors forget;
  const BioPtr bio = Reader(pem);
  if (bio == nullptr) return nullptr;
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
}

// The fingerprint of a public key, as common/pki.h writes such. INTERNAL: OpenSSL cannot.
absl::StatusOr<std::string> Fingerprint(const X509_PUBKEY* key);

}  // namespace zcluster::openssl
