// SPDX-License-Identifier: Apache-2.0
#include "common/credential.h"

#include "common/file.h"
#include "common/pki.h"
#include "common/status.h"

namespace zcluster::tls {
namespace {

constexpr size_t kMaxPem = 64 << 10;
constexpr unsigned kMode = 0600;

absl::StatusOr<std::string> LoadKey(const std::string& path) {
  absl::StatusOr<std::string> key = ReadFile(path, kMaxPem);
  if (!absl::IsNotFound(key.status())) return key;
  ZC_ASSIGN_OR_RETURN(std::string made, pki::MakeKey());
  ZC_RETURN_IF_ERROR(WriteFileDurably(path, made, kMode));
  return made;
}

bool IsOf(const absl::StatusOr<std::string>& certificate, const std::string& fingerprint) {
  if (!certificate.ok()) return false;
  const absl::StatusOr<std::string> found = pki::CertificateFingerprint(*certificate);
  return found.ok() && *found == fingerprint;
}

}  // namespace

absl::StatusOr<Credential> MakeCredential() {
  Credential made;
  ZC_ASSIGN_OR_RETURN(made.key, pki::MakeKey());
  ZC_ASSIGN_OR_RETURN(made.certificate, pki::MakeSelfSigned(made.key));
  ZC_ASSIGN_OR_RETURN(made.fingerprint, pki::KeyFingerprint(made.key));
  return made;
}

absl::StatusOr<Credential> LoadCredential(const std::string& directory) {
  Credential loaded;
  const std::string key_path = directory + "/node.key";
  ZC_ASSIGN_OR_RETURN(loaded.key, LoadKey(key_path));
  absl::StatusOr<std::string> fingerprint = pki::KeyFingerprint(loaded.key);
  if (!fingerprint.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        key_path, ": is no private key; remove it, and the node gets a new fingerprint"));
  }
  loaded.fingerprint = *fingerprint;
  const std::string path = directory + "/node.crt";
  absl::StatusOr<std::string> certificate = ReadFile(path, kMaxPem);
  if (!IsOf(certificate, loaded.fingerprint)) {
    certificate = pki::MakeSelfSigned(loaded.key);
    ZC_RETURN_IF_ERROR(Annotate(certificate.status(), key_path));
    ZC_RETURN_IF_ERROR(WriteFileDurably(path, *certificate, kMode));
  }
  loaded.certificate = *std::move(certificate);
  return loaded;
}

}  // namespace zcluster::tls
