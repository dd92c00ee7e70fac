// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fleet_identity.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/credential.h"
#include "common/grpc_address.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/tls.h"
#include "common/token.h"
#include "zcluster/v1/enrolment.grpc.pb.h"

namespace zcluster::test {
namespace {

constexpr absl::Duration kMemberLifetime = absl::Hours(24);

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const tls::Credential& own,
                                           const std::string& fingerprint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  const tls::Judge judge = [fingerprint](const std::string& shown) -> absl::Status {
    if (shown == fingerprint) return absl::OkStatus();
    return absl::UnauthenticatedError("the controller's key is not the one of the token");
  };
  return grpc::CreateCustomChannel(TargetOf({address}), tls::KeyedClientCredentials(own, judge),
                                   arguments);
}

absl::StatusOr<v1::EnrolRequest> RequestOf(const Enrolling& how, const tls::Credential& own,
                                           const token::Token& token) {
  const PairMember& member = how.member;
  v1::EnrolRequest request;
  request.set_token_proof(token::ProofOf(token::Kind::kEnrolment, token::HashOf(token.secret),
                                         {.maker = token.fingerprint, .caller = own.fingerprint}));
  // What name the request asks for is not looked at.
  ZC_ASSIGN_OR_RETURN(*request.mutable_request(),
                      pki::MakeRequest(own.key, tls::NodeUri(member.pair, member.node)));
  request.set_pair(member.pair);
  request.set_node(member.node);
  request.set_pair_ca(member.ca);
  request.set_pair_certificate(member.certificate);
  ZC_ASSIGN_OR_RETURN(
      *request.mutable_pair_signature(),
      pki::SignText(member.key, absl::StrCat("zcluster member 1\n", request.token_proof())));
  request.set_version(ZC_VERSION);
  return request;
}

}  // namespace

absl::StatusOr<PairAuthority> PairAuthority::Make(std::string pair) {
  PairAuthority authority;
  ZC_ASSIGN_OR_RETURN(authority.key_, pki::MakeKey());
  ZC_ASSIGN_OR_RETURN(authority.certificate_, pki::MakeCa(authority.key_, pair));
  authority.pair_ = std::move(pair);
  return authority;
}

absl::StatusOr<PairMember> PairAuthority::Certify(std::string node) const {
  PairMember member{
      .pair = pair_, .node = std::move(node), .key = "", .certificate = "", .ca = certificate_};
  const std::string uri = tls::NodeUri(member.pair, member.node);
  ZC_ASSIGN_OR_RETURN(member.key, pki::MakeKey());
  ZC_ASSIGN_OR_RETURN(const std::string request, pki::MakeRequest(member.key, uri));
  ZC_ASSIGN_OR_RETURN(member.certificate, pki::Sign(request, certificate_, key_,
                                                    {.uri = uri, .lifetime = kMemberLifetime}));
  return member;
}

absl::StatusOr<FleetIdentity> Enrol(const Enrolling& how) {
  ZC_ASSIGN_OR_RETURN(const token::Token token, token::Parse(token::Kind::kEnrolment, how.token));
  ZC_ASSIGN_OR_RETURN(const tls::Credential own, tls::MakeCredential());
  ZC_ASSIGN_OR_RETURN(v1::EnrolRequest request, RequestOf(how, own, token));
  if (how.edit != nullptr) how.edit(request);

  const auto stub = v1::EnrolmentService::NewStub(MakeChannel(how.address, own, token.fingerprint));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(how.patience));
  v1::EnrolResponse response;
  const grpc::Status status = stub->Enrol(&context, request, &response);
  if (!status.ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  return FleetIdentity{.fleet = response.fleet(),
                       .pair = response.pair(),
                       .node = how.member.node,
                       .key = own.key,
                       .certificate = response.certificate(),
                       .ca = response.ca_certificate()};
}

}  // namespace zcluster::test
