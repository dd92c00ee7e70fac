// SPDX-License-Identifier: Apache-2.0
#include "common/certificate.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/openssl.h"
#include "common/status.h"

namespace zcluster::tls {
namespace {

using openssl::Freed;
using openssl::KeyPtr;
using openssl::NamesPtr;
using openssl::ParseCertificates;
using openssl::X509Ptr;

void FreeStack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }

using StackPtr = std::unique_ptr<STACK_OF(X509), Freed<FreeStack>>;
using StorePtr = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using ContextPtr = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

// CA, at most two intermediate ones, and the node's.
constexpr int kMaxDepth = 3;
// OpenSSL's level 2: no less than 112 bits of security (no RSA below 2048, no SHA-1).
constexpr int kSecurityLevel = 2;
constexpr size_t kMaxQuoted = 120;

// A stranger chose these bytes, and they end up on a terminal.
std::string Quoted(absl::string_view text) {
  std::string result;
  for (char c : text.substr(0, kMaxQuoted)) result += (c > ' ' && c <= '~') ? c : '?';
  if (text.size() > kMaxQuoted) result += "...";
  return result;
}

std::string Date(const ASN1_TIME* when) {
  tm broken_down{};
  if (ASN1_TIME_to_tm(when, &broken_down) != 1) return "an unreadable date";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromTM(broken_down, absl::UTCTimeZone()),
                          absl::UTCTimeZone());
}

absl::string_view Bytes(const ASN1_STRING* text) {
  return absl::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                           static_cast<size_t>(ASN1_STRING_length(text)));
}

std::vector<std::string> Uris(const X509* certificate) {
  std::vector<std::string> result;
  NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return result;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    // With its length: a NUL inside must not cut a name down to an honest one.
    if (name->type == GEN_URI) result.emplace_back(Bytes(name->d.uniformResourceIdentifier));
  }
  return result;
}

// The sentence for what the chain's verification found.
std::string WhyNotTrusted(absl::string_view called, X509_STORE_CTX* context) {
  const int error = X509_STORE_CTX_get_error(context);
  const X509* where = X509_STORE_CTX_get_current_cert(context);
  const std::string subject = X509_STORE_CTX_get_error_depth(context) == 0 || where == nullptr
                                  ? std::string(called)
                                  : absl::StrCat("the CA of ", called);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::StrCat(subject, " expired on ", Date(X509_get0_notAfter(where)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return absl::StrCat(subject, " is not valid before ", Date(X509_get0_notBefore(where)),
                          " (do the clocks agree?)");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return absl::StrCat(called, " is self-signed, not signed by the pair's CA");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return absl::StrCat(called, " is not signed by the pair's CA");
    case X509_V_ERR_INVALID_PURPOSE:
      return absl::StrCat(subject, " is not made for this use (extended key usage)");
    default:
      return absl::StrCat(subject, " is refused: ", X509_verify_cert_error_string(error));
  }
}

// gRPC gives the leaf again as the first of the chain: it need not be parsed twice.
absl::string_view WithoutLeaf(absl::string_view chain, absl::string_view leaf) {
  chain = absl::StripAsciiWhitespace(chain);
  absl::ConsumePrefix(&chain, absl::StripAsciiWhitespace(leaf));
  return chain;
}

absl::StatusOr<std::string> OnlyUri(absl::string_view called, const X509* certificate,
                                    absl::string_view expected) {
  const std::vector<std::string> uris = Uris(certificate);
  if (uris.empty()) {
    return absl::UnauthenticatedError(absl::StrCat(
        called, " names nobody (no URI in its subject alternative name), expected ", expected));
  }
  if (uris.size() > 1) {
    return absl::UnauthenticatedError(
        absl::StrCat(called, " has ", uris.size(), " names, expected only ", expected));
  }
  return uris.front();
}

// TLS 1.2 is kept out by leaving it only suites that need an RSA key (RequireTls13): so no RSA key
// may pass.
absl::Status CheckKindOf(absl::string_view called, const X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  const int kind = key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_EC || kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448) {
    return absl::OkStatus();
  }
  return absl::UnauthenticatedError(
      absl::StrCat(called, " has a key of a kind that is not allowed; use ECDSA or Ed25519"));
}

}  // namespace

struct Trust::Store {
  StorePtr store;
};

std::shared_ptr<const Trust> Trust::In(absl::string_view pem) {
  const std::vector<X509Ptr> trusted = ParseCertificates(pem);
  auto store = std::make_unique<Store>();
  store->store.reset(X509_STORE_new());
  if (trusted.empty() || store->store == nullptr) return nullptr;
  for (const X509Ptr& ca : trusted) X509_STORE_add_cert(store->store.get(), ca.get());
  return std::shared_ptr<const Trust>(new Trust(std::move(store)));
}

Trust::Trust(std::unique_ptr<Store> store) : store_(std::move(store)) {}

Trust::~Trust() = default;

// Whether a certificate leads to the CA.
class ChainCheck {
 public:
  static absl::Status Check(const Candidate& candidate, X509* certificate, Use use) {
    if (candidate.trust != nullptr) return CheckBy(*candidate.trust, candidate, certificate, use);
    const std::shared_ptr<const Trust> trust = Trust::In(candidate.ca);
    if (trust == nullptr)
      return absl::UnauthenticatedError("the file of the pair's CA holds no certificate");
    return CheckBy(*trust, candidate, certificate, use);
  }

 private:
  static absl::Status CheckBy(const Trust& trust, const Candidate& candidate, X509* certificate,
                              Use use) {
    StackPtr chain(sk_X509_new_null());
    ContextPtr context(X509_STORE_CTX_new());
    if (chain == nullptr || context == nullptr) {
      return absl::ResourceExhaustedError("out of memory for the check of a certificate");
    }
    for (X509Ptr& link : ParseCertificates(WithoutLeaf(candidate.chain, candidate.certificate))) {
      if (sk_X509_push(chain.get(), link.get()) > 0) link.release();
    }
    if (X509_STORE_CTX_init(context.get(), trust.store_->store.get(), certificate, chain.get()) !=
        1) {
      return absl::UnauthenticatedError(absl::StrCat(candidate.called, " cannot be checked"));
    }
    X509_STORE_CTX_set_purpose(
        context.get(), use == Use::kServer ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_depth(rules, kMaxDepth);
    X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
    if (X509_verify_cert(context.get()) == 1) return absl::OkStatus();
    return absl::UnauthenticatedError(WhyNotTrusted(candidate.called, context.get()));
  }
};

absl::StatusOr<Identity> Identify(const Candidate& candidate, Use use, absl::string_view expected) {
  const openssl::ForgetErrors forget;  // gRPC calls this on its own threads
  const std::vector<X509Ptr> certificates = ParseCertificates(candidate.certificate);
  if (certificates.empty()) {
    return absl::UnauthenticatedError(absl::StrCat(candidate.called, " is not readable PEM"));
  }
  X509* certificate = certificates.front().get();
  ZC_RETURN_IF_ERROR(ChainCheck::Check(candidate, certificate, use));
  Identity identity;
  ZC_ASSIGN_OR_RETURN(identity.uri, OnlyUri(candidate.called, certificate, expected));
  ZC_RETURN_IF_ERROR(CheckKindOf(candidate.called, certificate));
  ZC_ASSIGN_OR_RETURN(identity.key, openssl::Fingerprint(X509_get_X509_PUBKEY(certificate)));
  return identity;
}

absl::Status CheckCertificate(const Candidate& candidate, Use use, absl::string_view uri) {
  ZC_ASSIGN_OR_RETURN(const Identity identity, Identify(candidate, use, uri));
  const std::string& found = identity.uri;
  if (found == uri) return absl::OkStatus();
  return absl::UnauthenticatedError(
      absl::StrCat(candidate.called, " is for ", Quoted(found), ", expected ", uri));
}

absl::StatusOr<std::string> UriOf(absl::string_view certificate) {
  constexpr absl::string_view kCalled = "the certificate";
  const openssl::ForgetErrors forget;
  const std::vector<X509Ptr> certificates = ParseCertificates(certificate);
  if (certificates.empty())
    return absl::UnauthenticatedError("the certificate is not readable PEM");
  return OnlyUri(kCalled, certificates.front().get(), "one name");
}

absl::Status CheckKind(absl::string_view called, absl::string_view certificate) {
  const std::vector<X509Ptr> certificates = ParseCertificates(certificate);
  if (certificates.empty()) {
    return absl::UnauthenticatedError(absl::StrCat(called, " is not readable PEM"));
  }
  return CheckKindOf(called, certificates.front().get());
}

absl::Status CheckKey(absl::string_view certificate, absl::string_view key) {
  const std::vector<X509Ptr> certificates = ParseCertificates(certificate);
  if (certificates.empty())
    return absl::UnauthenticatedError("the certificate is not readable PEM");
  const KeyPtr parsed = openssl::ParseKey(key);
  if (parsed == nullptr) {
    return absl::UnauthenticatedError("not a private key in PEM, or one with a password");
  }
  if (X509_check_private_key(certificates.front().get(), parsed.get()) != 1) {
    return absl::UnauthenticatedError("does not belong to the certificate");
  }
  return absl::OkStatus();
}

}  // namespace zcluster::tls
