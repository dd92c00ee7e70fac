// SPDX-License-Identifier: Apache-2.0
#include "tests/support/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/file.h"

namespace zcluster::test {
namespace {

EVP_PKEY* MakeKey(KeyKind kind) {
  EVP_PKEY* key = kind == KeyKind::kEcdsa ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
  ZC_CHECK(key != nullptr);
  return key;
}

void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  ZC_CHECK(extension != nullptr);
  ZC_CHECK(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

X509* MakeCertificate(const std::string& common_name, EVP_PKEY* key, absl::Duration from,
                      absl::Duration to) {
  static int serial = 1;
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), absl::ToInt64Seconds(from));
  X509_gmtime_adj(X509_getm_notAfter(certificate), absl::ToInt64Seconds(to));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509_set_pubkey(certificate, key);
  return certificate;
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string result(data, static_cast<size_t>(size));
  BIO_free(bio);
  return result;
}

std::string Pem(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  ZC_CHECK(PEM_write_bio_X509(bio, certificate) == 1);
  return Text(bio);
}

std::string Pem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  ZC_CHECK(PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return Text(bio);
}

}  // namespace

TempDirectory::TempDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "zc-test-XXXXXX").string();
  ZC_CHECK(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

struct Authority::State {
  std::string directory;
  std::string file;
  EVP_PKEY* key;
  X509* certificate;
};

Authority::Authority(std::string directory, std::string name) : state_(std::make_unique<State>()) {
  state_->directory = std::move(directory);
  state_->file = absl::StrCat(state_->directory, "/", name, "-ca.crt");
  state_->key = MakeKey(KeyKind::kEcdsa);
  X509* ca = MakeCertificate(name, state_->key, -absl::Hours(48), absl::Hours(48));
  X509_set_issuer_name(ca, X509_get_subject_name(ca));
  Extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
  Extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign");
  ZC_CHECK(X509_sign(ca, state_->key, EVP_sha256()) > 0);
  state_->certificate = ca;
  ZC_CHECK(WriteFileAtomically(state_->file, Pem(ca), 0644).ok());
}

Authority::~Authority() {
  X509_free(state_->certificate);
  EVP_PKEY_free(state_->key);
}

tls::Files Authority::Issue(const std::string& name, const CertificateOptions& options) const {
  EVP_PKEY* key = MakeKey(options.kind);
  X509* certificate = MakeCertificate(name, key, options.valid_from, options.valid_to);
  X509* issuer = options.self_signed ? certificate : state_->certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  std::string names;
  if (!options.uri.empty()) names = absl::StrCat("URI:", options.uri);
  if (!options.second_uri.empty()) absl::StrAppend(&names, ",URI:", options.second_uri);
  if (!names.empty()) Extend(certificate, issuer, NID_subject_alt_name, names);
  if (!options.extended_key_usage.empty()) {
    Extend(certificate, issuer, NID_ext_key_usage, options.extended_key_usage);
  }
  EVP_PKEY* signing = options.self_signed ? key : state_->key;
  ZC_CHECK(X509_sign(certificate, signing, EVP_sha256()) > 0);
  const std::string base = absl::StrCat(state_->directory, "/", name);
  const tls::Files files{absl::StrCat(base, ".crt"), absl::StrCat(base, ".key"), state_->file};
  ZC_CHECK(WriteFileAtomically(files.key, Pem(key), 0600).ok());
  ZC_CHECK(WriteFileAtomically(files.certificate, Pem(certificate), 0644).ok());
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

std::string Redated(const std::string& certificate, const std::string& key, absl::Duration from,
                    absl::Duration to) {
  BIO* bio = BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size()));
  X509* parsed = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  bio = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
  EVP_PKEY* signing = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  ZC_CHECK(parsed != nullptr && signing != nullptr);
  X509_gmtime_adj(X509_getm_notBefore(parsed), absl::ToInt64Seconds(from));
  X509_gmtime_adj(X509_getm_notAfter(parsed), absl::ToInt64Seconds(to));
  ZC_CHECK(X509_sign(parsed, signing, EVP_sha256()) > 0);
  std::string result = Pem(parsed);
  X509_free(parsed);
  EVP_PKEY_free(signing);
  return result;
}

}  // namespace zcluster::test
