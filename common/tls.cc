// SPDX-License-Identifier: Apache-2.0
#include "common/tls.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cstdlib>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/certificate.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::tls {
namespace {

using grpc::experimental::CertificateVerifier;
using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::FileWatcherCertificateProvider;
using grpc::experimental::TlsCustomVerificationCheckRequest;

constexpr size_t kMaxPem = 256 << 10;
constexpr unsigned kWatchSeconds = 1;

absl::string_view ToAbsl(grpc::string_ref text) { return {text.data(), text.size()}; }

// The only gate. gRPC's own check of the chain is off, because it runs inside the handshake and
// leaves nothing but "Socket closed" of its reasons; this one runs after the handshake (which has
// proved that the peer holds the key) and before the first byte of a call, in both directions. What
// it does not positively accept is refused.
class Gate : public ExternalCertificateVerifier {
 public:
  Gate(std::string ca_file, Use use, Expected peer, OnRefused refused)
      : ca_file_(std::move(ca_file)),
        use_(use),
        peer_(std::move(peer)),
        refused_(std::move(refused)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* verdict) override {
    const absl::Status status = Check(*request);
    *verdict = status.ok()
                   ? grpc::Status::OK
                   : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(status.message()));
    if (!status.ok() && refused_ != nullptr) refused_(std::string(status.message()));
    return true;  // decided here and now
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  absl::Status Check(const TlsCustomVerificationCheckRequest& request) const {
    // Read anew each time: a renewed CA counts from the next handshake.
    absl::StatusOr<std::string> ca = ReadFile(ca_file_, kMaxPem);
    if (!ca.ok()) return Annotate(ca.status(), "the pair's CA cannot be read");
    const std::shared_ptr<const Trust> trust = TrustIn(*ca);
    const Candidate candidate{.certificate = ToAbsl(request.peer_cert()),
                              .chain = ToAbsl(request.peer_cert_full_chain()),
                              .ca = *ca,
                              .called = peer_.called,
                              .trust = trust.get()};
    if (peer_.accept == nullptr) return CheckCertificate(candidate, use_, peer_.uri);
    ZC_ASSIGN_OR_RETURN(const Identity identity, Identify(candidate, use_, peer_.whom));
    return peer_.accept(identity);
  }

  // Parsed anew only when the file has changed: a controller has thousands of handshakes at once.
  // Null if it holds no certificate, of which the check then says so.
  std::shared_ptr<const Trust> TrustIn(const std::string& ca) const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (trust_ == nullptr || ca != trusted_) {
      trust_ = Trust::In(ca);
      trusted_ = ca;
    }
    return trust_;
  }

  const std::string ca_file_;
  const Use use_;
  const Expected peer_;
  const OnRefused refused_;
  mutable absl::Mutex mutex_;
  mutable std::string trusted_ ABSL_GUARDED_BY(mutex_);
  mutable std::shared_ptr<const Trust> trust_ ABSL_GUARDED_BY(mutex_);
};

std::shared_ptr<FileWatcherCertificateProvider> Watch(const Files& files) {
  return std::make_shared<FileWatcherCertificateProvider>(files.key, files.certificate, files.ca,
                                                          kWatchSeconds);
}

}  // namespace

std::string NodeUri(absl::string_view pair, absl::string_view node) {
  return absl::StrCat("zcluster://", pair, "/node/", node);
}

std::string OperatorUri(absl::string_view pair, absl::string_view name) {
  return absl::StrCat("zcluster://", pair, "/operator/", name);
}

std::string AgentUri(absl::string_view fleet, absl::string_view pair, absl::string_view node) {
  return absl::StrCat("zcluster://", fleet, "/agent/", pair, "/", node);
}

std::string ControllerUri(absl::string_view fleet, absl::string_view name) {
  return absl::StrCat("zcluster://", fleet, "/controller/", name);
}

void RequireTls13() {
  // gRPC 1.51 has no setting for the lowest version. This leaves TLS 1.2 only a suite that needs an
  // RSA key, which CheckCertificate refuses, so that 1.2 ends with "no shared cipher"; the suites
  // of 1.3 are a list of their own.
  ::setenv("GRPC_SSL_CIPHER_SUITES", "AES128-GCM-SHA256", 1);
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
}

absl::Status CheckOwnFiles(const Files& files, const std::string& own_uri) {
  ZC_ASSIGN_OR_RETURN(const std::string certificate, ReadFile(files.certificate, kMaxPem));
  ZC_ASSIGN_OR_RETURN(const std::string key, ReadFile(files.key, kMaxPem));
  ZC_ASSIGN_OR_RETURN(const std::string ca, ReadFile(files.ca, kMaxPem));
  const std::string called = absl::StrCat("our certificate ", files.certificate);
  const Candidate own{.certificate = certificate, .chain = certificate, .ca = ca, .called = called};
  // A node is server to its peer, and client of it.
  ZC_RETURN_IF_ERROR(CheckCertificate(own, Use::kServer, own_uri));
  ZC_RETURN_IF_ERROR(CheckCertificate(own, Use::kClient, own_uri));
  return Annotate(CheckKey(certificate, key), files.key);
}

std::shared_ptr<grpc::ChannelCredentials> ClientCredentials(const Files& files, Expected peer,
                                                            OnRefused refused) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Watch(files));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_verify_server_certs(false);  // see Gate
  options.set_check_call_host(false);      // names are URIs, not host names
  options.set_certificate_verifier(ExternalCertificateVerifier::Create<Gate>(
      files.ca, Use::kServer, std::move(peer), std::move(refused)));
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const Files& files, Expected peer,
                                                           OnRefused refused) {
  grpc::experimental::TlsServerCredentialsOptions options(Watch(files));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  // Demanded, and proved to be held, by TLS; judged by Gate.
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  options.set_certificate_verifier(ExternalCertificateVerifier::Create<Gate>(
      files.ca, Use::kClient, std::move(peer), std::move(refused)));
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace zcluster::tls
