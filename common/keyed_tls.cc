// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>
#include <vector>

#include "common/certificate.h"
#include "common/credential.h"
#include "common/pki.h"
#include "common/status.h"

namespace zcluster::tls {
namespace {

using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::StaticDataCertificateProvider;
using grpc::experimental::TlsCustomVerificationCheckRequest;

// The only gate (see common/tls.cc: gRPC's own check is off). What the judge does not positively
// accept is refused. TLS 1.2 is kept out only as long as no RSA key passes (RequireTls13).
class Gate : public ExternalCertificateVerifier {
 public:
  Gate(std::string called, Judge judge) : called_(std::move(called)), judge_(std::move(judge)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* verdict) override {
    const absl::Status status = Check(*request);
    *verdict = status.ok()
                   ? grpc::Status::OK
                   : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(status.message()));
    return true;  // decided here and now
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  absl::Status Check(const TlsCustomVerificationCheckRequest& request) const {
    const absl::string_view shown(request.peer_cert().data(), request.peer_cert().size());
    ZC_RETURN_IF_ERROR(CheckKind(called_, shown));
    if (judge_ == nullptr) return absl::OkStatus();
    ZC_ASSIGN_OR_RETURN(const std::string fingerprint, pki::CertificateFingerprint(shown));
    return judge_(fingerprint);
  }

  const std::string called_;
  const Judge judge_;
};

std::shared_ptr<StaticDataCertificateProvider> Provider(const Credential& own) {
  return std::make_shared<StaticDataCertificateProvider>(
      std::vector<grpc::experimental::IdentityKeyCertPair>{{own.key, own.certificate}});
}

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> KeyedClientCredentials(const Credential& own,
                                                                 Judge judge) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Provider(own));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);  // see Gate
  options.set_check_call_host(false);      // keys count, not names
  options.set_certificate_verifier(
      ExternalCertificateVerifier::Create<Gate>("the node's certificate", std::move(judge)));
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> KeyedServerCredentials(const Credential& own) {
  grpc::experimental::TlsServerCredentialsOptions options(Provider(own));
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  options.set_certificate_verifier(
      ExternalCertificateVerifier::Create<Gate>("the caller's certificate", nullptr));
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace zcluster::tls
