// SPDX-License-Identifier: Apache-2.0
#include "ctl/remote/dial.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/certificate.h"
#include "common/status.h"
#include "common/tls.h"

namespace zcluster::ctl {
namespace {

using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::IdentityKeyCertPair;
using grpc::experimental::StaticDataCertificateProvider;
using grpc::experimental::TlsCustomVerificationCheckRequest;

// Who lives answers a handshake within milliseconds; the next address is waiting.
constexpr absl::Duration kPatience = absl::Seconds(3);

// Who was met at an address: why it was refused, or what it is. gRPC's threads write it.
class Met {
 public:
  void Refuse(std::string why) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    refused_ = std::move(why);
  }
  void Accept(bool controller) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    controller_ = controller;
  }
  std::string refused() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return refused_;
  }
  bool controller() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return controller_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::string refused_ ABSL_GUARDED_BY(mutex_);
  bool controller_ ABSL_GUARDED_BY(mutex_) = false;
};

absl::string_view ToAbsl(grpc::string_ref text) { return {text.data(), text.size()}; }

// Whether the other side is a node of the pair or a controller of the fleet, whichever. What it
// does not positively accept is refused; gRPC's own check is off, because it leaves nothing of its
// reasons.
class AnyOfTheirs : public ExternalCertificateVerifier {
 public:
  AnyOfTheirs(Credential credential, std::shared_ptr<Met> met)
      : credential_(std::move(credential)), met_(std::move(met)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* verdict) override {
    const absl::Status status = Check(*request);
    if (status.ok()) {
      *verdict = grpc::Status::OK;
    } else {
      met_->Refuse(std::string(status.message()));
      *verdict = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(status.message()));
    }
    return true;  // decided here and now
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  absl::Status Check(const TlsCustomVerificationCheckRequest& request) const {
    const std::string nodes = tls::NodeUri(credential_.pair, "");
    const std::string controllers = tls::ControllerUri(credential_.pair, "");
    const auto uris = request.uri_names();
    const absl::string_view uri = uris.size() == 1 ? ToAbsl(uris[0]) : absl::string_view();
    const bool controller = absl::StartsWith(uri, controllers);
    // CheckCertificate wants the one URI that the certificate must carry: its own, if that names
    // somebody of theirs, else one that does.
    const std::string wanted = controller || absl::StartsWith(uri, nodes)
                                   ? std::string(uri)
                                   : absl::StrCat(nodes, "NAME or ", controllers, "NAME");
    ZC_RETURN_IF_ERROR(tls::CheckCertificate({.certificate = ToAbsl(request.peer_cert()),
                                              .chain = ToAbsl(request.peer_cert_full_chain()),
                                              .ca = credential_.ca,
                                              .called = "its certificate"},
                                             tls::Use::kServer, wanted));
    met_->Accept(controller);
    return absl::OkStatus();
  }

  const Credential credential_;
  const std::shared_ptr<Met> met_;
};

std::shared_ptr<grpc::ChannelCredentials> Credentials(const Credential& credential,
                                                      const std::shared_ptr<Met>& met) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<StaticDataCertificateProvider>(
      credential.ca, std::vector<IdentityKeyCertPair>{{credential.key, credential.certificate}}));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_verify_server_certs(false);  // see AnyOfTheirs
  options.set_check_call_host(false);      // names are URIs, not host names
  options.set_certificate_verifier(
      ExternalCertificateVerifier::Create<AnyOfTheirs>(credential, met));
  return grpc::experimental::TlsCredentials(options);
}

// Whether the channel stands; false as soon as one try has failed.
bool Stands(grpc::Channel& channel, absl::Time deadline) {
  const auto until = absl::ToChronoTime(deadline);
  grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_READY && state != GRPC_CHANNEL_TRANSIENT_FAILURE) {
    if (!channel.WaitForStateChange(state, until)) return false;
    state = channel.GetState(/*try_to_connect=*/true);
  }
  return state == GRPC_CHANNEL_READY;
}

}  // namespace

absl::StatusOr<Reached> Dial(const Credential& credential, absl::Duration limit) {
  ZC_RETURN_IF_ERROR(CheckCredential(credential));
  tls::RequireTls13();
  const absl::Time end =
      limit > absl::ZeroDuration() ? absl::Now() + limit : absl::InfiniteFuture();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // they are reached directly or not at all
  std::vector<std::string> failures;
  for (const std::string& address : credential.addresses) {
    const auto met = std::make_shared<Met>();
    auto channel = grpc::CreateCustomChannel(address, Credentials(credential, met), arguments);
    if (Stands(*channel, std::min(end, absl::Now() + kPatience))) {
      return Reached{std::move(channel), address, met->controller()};
    }
    const std::string why = met->refused();
    failures.push_back(absl::StrCat(address, ": ", why.empty() ? "no answer" : why));
  }
  return absl::UnavailableError(absl::StrCat("no node or controller of ", credential.pair,
                                             " lets us in: ", absl::StrJoin(failures, "; ")));
}

}  // namespace zcluster::ctl
