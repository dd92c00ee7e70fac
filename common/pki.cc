// SPDX-License-Identifier: Apache-2.0
#include "common/pki.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/digest.h"
#include "common/openssl.h"
#include "common/status.h"

namespace zcluster::pki {
namespace {

using openssl::BioPtr;
using openssl::Fingerprint;
using openssl::ForgetErrors;
using openssl::Freed;
using openssl::KeyPtr;
using openssl::NamesPtr;
using openssl::ParseKey;
using openssl::Reader;
using openssl::X509Ptr;

void FreeExtensions(X509_EXTENSIONS* all) { sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free); }

using BignumPtr = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using ExtensionsPtr = std::unique_ptr<X509_EXTENSIONS, Freed<FreeExtensions>>;
using RequestPtr = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;

// A request of ours is about 500 bytes; requests come from strangers.
constexpr size_t kMaxPem = 64 << 10;
// X.520's bound of a common name.
constexpr size_t kMaxName = 64;
constexpr size_t kMaxUri = 255;
// No node's certificate, nor its CA, lives longer.
constexpr absl::Duration kTenYears = absl::Hours(24 * 3652);
constexpr int kSerialBits = 128;
// A signature of P-256 in DER has at most 72 bytes.
constexpr size_t kMaxSignature = 128;
constexpr absl::string_view kFingerprintPrefix = "SHA256:";
constexpr size_t kFingerprintDigits = 43;  // 32 bytes in base64

// What only lack of memory or of randomness explains.
absl::Status OpensslFailed(absl::string_view what) {
  char reason[256] = "no reason given";
  if (const unsigned long error = ERR_peek_last_error(); error != 0) {
    ERR_error_string_n(error, reason, sizeof reason);
  }
  return absl::InternalError(absl::StrCat("OpenSSL could not ", what, ": ", reason));
}

std::string Text(BIO* bio) {
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::StatusOr<std::string> Pem(const X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return OpensslFailed("write a certificate");
  }
  return Text(bio.get());
}

absl::Status CheckSize(absl::string_view what, absl::string_view pem) {
  if (pem.size() <= kMaxPem) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " has ", pem.size(), " bytes, more than ", kMaxPem));
}

absl::StatusOr<X509Ptr> CertificateIn(absl::string_view pem) {
  ZC_RETURN_IF_ERROR(CheckSize("the certificate", pem));
  std::vector<X509Ptr> certificates = openssl::ParseCertificates(pem);
  if (certificates.empty()) {
    return absl::InvalidArgumentError("the certificate is not readable PEM");
  }
  return std::move(certificates.front());
}

absl::StatusOr<RequestPtr> RequestIn(absl::string_view pem) {
  ZC_RETURN_IF_ERROR(CheckSize("the certificate request", pem));
  const BioPtr bio = Reader(pem);
  if (bio == nullptr) return OpensslFailed("read a certificate request");
  RequestPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, openssl::NoPassword, nullptr));
  if (request == nullptr) {
    return absl::InvalidArgumentError("the certificate request is not readable PEM");
  }
  return request;
}

// ECDSA on P-256, by the curve's name: RSA would let TLS 1.2 in (tls::RequireTls13), and a curve
// spelt out by its parameters is a stranger's to choose.
bool IsOurKind(const EVP_PKEY* key) {
  const auto is = [key](const char* parameter, absl::string_view wanted) {
    char value[32];
    size_t size = 0;
    return EVP_PKEY_get_utf8_string_param(key, parameter, value, sizeof value, &size) == 1 &&
           absl::string_view(value, size) == wanted;
  };
  return key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         is(OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1) &&
         is(OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_GROUP);
}

absl::StatusOr<KeyPtr> KeyIn(absl::string_view pem) {
  ZC_RETURN_IF_ERROR(CheckSize("the private key", pem));
  KeyPtr key = ParseKey(pem);
  if (key == nullptr) {
    return absl::InvalidArgumentError("not a private key in PEM, or one with a password");
  }
  if (!IsOurKind(key.get())) {
    return absl::InvalidArgumentError("the private key is not of ECDSA on P-256");
  }
  return key;
}

absl::StatusOr<NamesPtr> NameOf(absl::string_view uri) {
  if (uri.empty() || uri.size() > kMaxUri ||
      !std::all_of(uri.begin(), uri.end(), [](char c) { return c > ' ' && c <= '~'; })) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the name for a certificate must be a URI of 1 to ", kMaxUri, " printable characters"));
  }
  NamesPtr names(GENERAL_NAMES_new());
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  if (names == nullptr || name == nullptr || text == nullptr ||
      ASN1_STRING_set(text, uri.data(), static_cast<int>(uri.size())) != 1 ||
      sk_GENERAL_NAME_push(names.get(), name) <= 0) {
    ASN1_IA5STRING_free(text);
    GENERAL_NAME_free(name);
    return OpensslFailed("make a name");
  }
  GENERAL_NAME_set0_value(name, GEN_URI, text);
  return names;
}

// Adds an extension; `value`, in OpenSSL's own notation, must be ours, never a stranger's.
absl::Status Extend(X509* certificate, const X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return OpensslFailed("add to a certificate");
  }
  return absl::OkStatus();
}

absl::Status SetTime(ASN1_TIME* field, absl::Time when) {
  if (ASN1_TIME_set(field, absl::ToTimeT(when)) == nullptr) return OpensslFailed("write a date");
  return absl::OkStatus();
}

// A serial number that nobody can guess or repeat, and the dates.
absl::Status Renumber(X509* certificate, absl::Duration lifetime) {
  const BignumPtr serial(BN_new());
  if (serial == nullptr ||
      BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return OpensslFailed("make a serial number");
  }
  const absl::Time now = absl::Now();
  ZC_RETURN_IF_ERROR(SetTime(X509_getm_notBefore(certificate), now - kBackdated));
  return SetTime(X509_getm_notAfter(certificate), now + lifetime);
}

// What every new certificate begins with.
absl::StatusOr<X509Ptr> NewCertificate(EVP_PKEY* key, absl::Duration lifetime) {
  X509Ptr certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(certificate.get(), key) != 1) {
    return OpensslFailed("make a certificate");
  }
  ZC_RETURN_IF_ERROR(Renumber(certificate.get(), lifetime));
  return certificate;
}

// For either side of TLS, and no CA; named by its key, and by its issuer's.
absl::Status ExtendForTls(X509* certificate, const X509* issuer) {
  ZC_RETURN_IF_ERROR(Extend(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE"));
  ZC_RETURN_IF_ERROR(Extend(certificate, issuer, NID_key_usage, "critical,digitalSignature"));
  ZC_RETURN_IF_ERROR(Extend(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth"));
  ZC_RETURN_IF_ERROR(Extend(certificate, issuer, NID_subject_key_identifier, "hash"));
  // By the key alone, not by the serial number: else a renewed CA would no longer be the issuer.
  return Extend(certificate, issuer, NID_authority_key_identifier, "keyid:always");
}

absl::StatusOr<std::string> Signed(X509* certificate, EVP_PKEY* key) {
  if (X509_sign(certificate, key, EVP_sha256()) <= 0) return OpensslFailed("sign a certificate");
  return Pem(certificate);
}

// A CA's certificate and its key.
struct Authority {
  X509Ptr certificate;
  KeyPtr key;
};

absl::StatusOr<Authority> AuthorityIn(absl::string_view certificate, absl::string_view key) {
  Authority ca;
  ZC_ASSIGN_OR_RETURN(ca.certificate, CertificateIn(certificate));
  ZC_ASSIGN_OR_RETURN(ca.key, KeyIn(key));
  if (X509_check_ca(ca.certificate.get()) != 1) {
    return absl::InvalidArgumentError("the certificate that shall sign is not one of a CA");
  }
  if (X509_check_private_key(ca.certificate.get(), ca.key.get()) != 1) {
    return absl::InvalidArgumentError("the CA's key does not belong to its certificate");
  }
  return ca;
}

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

absl::StatusOr<absl::Time> TimeIn(const ASN1_TIME* field) {
  tm broken_down{};
  if (ASN1_TIME_to_tm(field, &broken_down) != 1) {
    return absl::InvalidArgumentError("the certificate has an unreadable date");
  }
  return absl::FromTM(broken_down, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<std::string> MakeKey() {
  const ForgetErrors forget;
  const KeyPtr key(EVP_EC_gen(SN_X9_62_prime256v1));
  const BioPtr bio(BIO_new(BIO_s_mem()));  // wipes itself when freed
  if (key == nullptr || bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return OpensslFailed("make a key");
  }
  return Text(bio.get());
}

absl::StatusOr<std::string> KeyFingerprint(absl::string_view key) {
  const ForgetErrors forget;
  ZC_RETURN_IF_ERROR(CheckSize("the private key", key));
  const KeyPtr parsed = ParseKey(key);
  if (parsed == nullptr) {
    return absl::InvalidArgumentError("not a private key in PEM, or one with a password");
  }
  X509_PUBKEY* half = nullptr;
  if (X509_PUBKEY_set(&half, parsed.get()) != 1) return OpensslFailed("take a key's public half");
  const std::unique_ptr<X509_PUBKEY, Freed<X509_PUBKEY_free>> owned(half);
  return Fingerprint(half);
}

absl::StatusOr<std::string> CertificateFingerprint(absl::string_view certificate) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const X509Ptr parsed, CertificateIn(certificate));
  return Fingerprint(X509_get_X509_PUBKEY(parsed.get()));
}

absl::StatusOr<std::string> RequestFingerprint(absl::string_view request) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const RequestPtr parsed, RequestIn(request));
  return Fingerprint(X509_REQ_get_X509_PUBKEY(parsed.get()));
}

bool IsFingerprint(absl::string_view text) {
  return absl::ConsumePrefix(&text, kFingerprintPrefix) && text.size() == kFingerprintDigits &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/';
         });
}

absl::StatusOr<std::string> MakeRequest(absl::string_view key, absl::string_view uri) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const KeyPtr parsed, KeyIn(key));
  ZC_ASSIGN_OR_RETURN(const NamesPtr names, NameOf(uri));
  X509_EXTENSIONS* wanted = nullptr;
  const int added =
      X509V3_add1_i2d(&wanted, NID_subject_alt_name, names.get(), /*crit=*/1, X509V3_ADD_DEFAULT);
  const ExtensionsPtr extensions(wanted);
  const RequestPtr request(X509_REQ_new());
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (added != 1 || request == nullptr || bio == nullptr ||
      X509_REQ_set_pubkey(request.get(), parsed.get()) != 1 ||
      X509_REQ_add_extensions(request.get(), extensions.get()) != 1 ||
      X509_REQ_sign(request.get(), parsed.get(), EVP_sha256()) <= 0 ||
      PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return OpensslFailed("make a certificate request");
  }
  return Text(bio.get());
}

absl::StatusOr<std::string> MakeCa(absl::string_view key, absl::string_view name) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const KeyPtr parsed, KeyIn(key));
  if (name.empty() || name.size() > kMaxName ||
      !std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
    return absl::InvalidArgumentError(
        absl::StrCat("the name of a CA must have 1 to ", kMaxName, " printable characters"));
  }
  ZC_ASSIGN_OR_RETURN(const X509Ptr made, NewCertificate(parsed.get(), kTenYears));
  X509* ca = made.get();
  X509_NAME* subject = X509_get_subject_name(ca);
  if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.data()),
                                 static_cast<int>(name.size()), -1, 0) != 1 ||
      X509_set_issuer_name(ca, subject) != 1) {
    return OpensslFailed("name a CA");
  }
  ZC_RETURN_IF_ERROR(Extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  ZC_RETURN_IF_ERROR(Extend(ca, ca, NID_key_usage, "critical,keyCertSign"));
  ZC_RETURN_IF_ERROR(Extend(ca, ca, NID_subject_key_identifier, "hash"));
  return Signed(ca, parsed.get());
}

absl::StatusOr<std::string> RenewCa(absl::string_view key, absl::string_view certificate) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const Authority ca, AuthorityIn(certificate, key));
  ZC_RETURN_IF_ERROR(Renumber(ca.certificate.get(), kTenYears));
  return Signed(ca.certificate.get(), ca.key.get());
}

absl::StatusOr<std::string> MakeSelfSigned(absl::string_view key) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const KeyPtr parsed, KeyIn(key));
  ZC_ASSIGN_OR_RETURN(const X509Ptr made, NewCertificate(parsed.get(), kTenYears));
  ZC_RETURN_IF_ERROR(ExtendForTls(made.get(), made.get()));
  return Signed(made.get(), parsed.get());
}

absl::StatusOr<std::string> Sign(absl::string_view request, absl::string_view ca,
                                 absl::string_view ca_key, const Terms& terms) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const Authority issuer, AuthorityIn(ca, ca_key));
  ZC_ASSIGN_OR_RETURN(const RequestPtr asked, RequestIn(request));
  EVP_PKEY* key = X509_REQ_get0_pubkey(asked.get());
  if (!IsOurKind(key)) {
    return absl::InvalidArgumentError(
        "the certificate request is for a key of another kind than ECDSA on P-256");
  }
  if (X509_REQ_verify(asked.get(), key) != 1) {
    return absl::InvalidArgumentError(
        "the certificate request is not signed by the key that it is for");
  }
  if (terms.lifetime < absl::Seconds(1) || terms.lifetime > kTenYears) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a certificate can live for 1s to ten years, not ", absl::FormatDuration(terms.lifetime)));
  }
  ZC_ASSIGN_OR_RETURN(const NamesPtr names, NameOf(terms.uri));
  ZC_ASSIGN_OR_RETURN(const X509Ptr made, NewCertificate(key, terms.lifetime));
  const X509* by = issuer.certificate.get();
  ZC_RETURN_IF_ERROR(ExtendForTls(made.get(), by));
  // Critical, because the subject is empty (RFC 5280, 4.2.1.6): one name, in one place.
  if (X509_set_issuer_name(made.get(), X509_get_subject_name(by)) != 1 ||
      X509_add1_ext_i2d(made.get(), NID_subject_alt_name, names.get(), /*crit=*/1,
                        X509V3_ADD_DEFAULT) != 1) {
    return OpensslFailed("name a certificate");
  }
  return Signed(made.get(), issuer.key.get());
}

absl::StatusOr<std::string> SignText(absl::string_view key, absl::string_view text) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const KeyPtr parsed, KeyIn(key));
  const DigestPtr digest(EVP_MD_CTX_new());
  std::string signature(kMaxSignature, '\0');
  size_t size = signature.size();
  if (digest == nullptr ||
      EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, parsed.get()) != 1 ||
      EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     Bytes(text), text.size()) != 1) {
    return OpensslFailed("sign a text");
  }
  signature.resize(size);
  return signature;
}

absl::Status VerifyText(absl::string_view certificate, absl::string_view text,
                        absl::string_view signature) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const X509Ptr parsed, CertificateIn(certificate));
  EVP_PKEY* key = X509_get0_pubkey(parsed.get());
  if (!IsOurKind(key)) {
    return absl::InvalidArgumentError(
        "the certificate is for a key of another kind than ECDSA on P-256");
  }
  const DigestPtr digest(EVP_MD_CTX_new());
  if (digest == nullptr ||
      EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) != 1) {
    return OpensslFailed("check a signature");
  }
  if (signature.empty() || signature.size() > kMaxSignature ||
      EVP_DigestVerify(digest.get(), Bytes(signature), signature.size(), Bytes(text),
                       text.size()) != 1) {
    return absl::PermissionDeniedError("the signature is not of the certificate's key");
  }
  return absl::OkStatus();
}

absl::StatusOr<Validity> ValidityOf(absl::string_view certificate) {
  const ForgetErrors forget;
  ZC_ASSIGN_OR_RETURN(const X509Ptr parsed, CertificateIn(certificate));
  Validity validity;
  ZC_ASSIGN_OR_RETURN(validity.from, TimeIn(X509_get0_notBefore(parsed.get())));
  ZC_ASSIGN_OR_RETURN(validity.to, TimeIn(X509_get0_notAfter(parsed.get())));
  return validity;
}

void Wipe(std::string& secret) {
  // What an earlier, longer content left behind as well.
  secret.resize(secret.capacity());
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace zcluster::pki

namespace zcluster::openssl {

absl::StatusOr<std::string> Fingerprint(const X509_PUBKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(key, &der);
  if (size <= 0) return absl::InternalError("OpenSSL could not encode a public key");
  const std::string digest =
      Sha256(absl::string_view(reinterpret_cast<const char*>(der), static_cast<size_t>(size)));
  OPENSSL_free(der);
  const std::string base64 = absl::Base64Escape(digest);
  return absl::StrCat("SHA256:", absl::StripSuffix(base64, "="));
}

}  // namespace zcluster::openssl
