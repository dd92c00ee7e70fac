// SPDX-License-Identifier: Apache-2.0
#include "controller/enrolment/proof.h"

#include "absl/strings/str_cat.h"
#include "common/certificate.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/strings.h"
#include "common/tls.h"
#include "controller/core/names.h"
#include "zcluster/v1/enrolment.pb.h"

namespace zcluster::controller {
namespace {

constexpr size_t kProofBytes = 32;
// A certificate or a request of ours has less than 2 KiB.
constexpr size_t kMaxPem = 16 << 10;
// ECDSA on P-256, in DER: 72 at most.
constexpr size_t kMaxSignature = 72;
constexpr size_t kMaxVersion = 64;
// A clock is set by so much without anybody having moved it.
constexpr absl::Duration kClockSlack = absl::Minutes(1);
constexpr char kMakeOne[] = "make one at the controller: zctl fleet token";

absl::Status CheckPem(absl::string_view field, absl::string_view pem) {
  if (pem.empty()) return absl::InvalidArgumentError(absl::StrCat(field, ": is missing"));
  if (pem.size() <= kMaxPem) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": has ", pem.size(), " bytes, at most ", kMaxPem, " are allowed"));
}

// With two in one text, one could be judged by one and named by the other: a stranger's CA that
// comes along with the CA of the pair that it wants to be of.
absl::Status CheckSingle(absl::string_view field, absl::string_view pem) {
  constexpr absl::string_view kBegin = "-----BEGIN ";
  const size_t first = pem.find(kBegin);
  if (first != absl::string_view::npos && pem.find(kBegin, first + 1) == absl::string_view::npos) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(field, ": must hold one certificate"));
}

absl::Status Denied(const absl::Status& why) {
  if (why.ok()) return why;
  return absl::PermissionDeniedError(
      absl::StrCat("the node does not prove to be of its pair: ", why.message()));
}

}  // namespace

absl::Status CheckShape(const v1::EnrolRequest& request) {
  if (request.token_proof().size() != kProofBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "token_proof: has ", request.token_proof().size(), " bytes, not ", kProofBytes));
  }
  ZC_RETURN_IF_ERROR(Annotate(CheckPairName(request.pair()), "pair"));
  ZC_RETURN_IF_ERROR(Annotate(CheckNodeName(request.node()), "node"));
  ZC_RETURN_IF_ERROR(CheckPem("request", request.request()));
  ZC_RETURN_IF_ERROR(CheckPem("pair_ca", request.pair_ca()));
  ZC_RETURN_IF_ERROR(CheckPem("pair_certificate", request.pair_certificate()));
  if (request.pair_signature().empty() || request.pair_signature().size() > kMaxSignature) {
    return absl::InvalidArgumentError("pair_signature: is no ECDSA signature on P-256");
  }
  if (request.version().size() > kMaxVersion || HasControlCharacter(request.version())) {
    return absl::InvalidArgumentError(
        absl::StrCat("version: must have at most ", kMaxVersion, " printable characters"));
  }
  return absl::OkStatus();
}

const TokenRecord* FindToken(const std::vector<TokenRecord>& tokens, absl::string_view proof,
                             const token::Session& session) {
  const TokenRecord* found = nullptr;
  for (const TokenRecord& token : tokens) {
    const std::string expected = token::ProofOf(token::Kind::kEnrolment, token.hash, session);
    if (token::SameProof(proof, expected)) found = &token;
  }
  return found;
}

absl::Status CheckLife(const TokenRecord& token, absl::Time now) {
  if (!token.ended.empty()) {
    return absl::UnauthenticatedError(
        absl::StrCat("the token ", token.ended, ", and is good only once; ", kMakeOne));
  }
  if (now < token.made - kClockSlack) {
    return absl::UnauthenticatedError(
        absl::StrCat("the controller's clock went back since the token was made; ", kMakeOne));
  }
  if (now >= token.expires) {
    return absl::UnauthenticatedError(
        absl::StrCat("the token expired at ",
                     absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", token.expires, absl::UTCTimeZone()),
                     "; ", kMakeOne));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> CheckMember(const v1::EnrolRequest& request,
                                        absl::string_view caller_key) {
  const absl::StatusOr<std::string> wanted = pki::RequestFingerprint(request.request());
  ZC_RETURN_IF_ERROR(Annotate(wanted.status(), "request"));
  if (*wanted != caller_key) {
    return absl::InvalidArgumentError(
        "request: is for another key than this connection was opened with");
  }
  ZC_RETURN_IF_ERROR(CheckSingle("pair_ca", request.pair_ca()));
  ZC_RETURN_IF_ERROR(CheckSingle("pair_certificate", request.pair_certificate()));
  const tls::Candidate candidate{.certificate = request.pair_certificate(),
                                 .chain = {},
                                 .ca = request.pair_ca(),
                                 .called = "pair_certificate"};
  ZC_RETURN_IF_ERROR(Denied(tls::CheckCertificate(candidate, tls::Use::kClient,
                                                  tls::NodeUri(request.pair(), request.node()))));
  const absl::StatusOr<std::string> ca_key = pki::CertificateFingerprint(request.pair_ca());
  const absl::StatusOr<std::string> key = pki::CertificateFingerprint(request.pair_certificate());
  ZC_RETURN_IF_ERROR(Annotate(ca_key.status(), "pair_ca"));
  ZC_RETURN_IF_ERROR(Annotate(key.status(), "pair_certificate"));
  if (*ca_key == *key) {
    return Denied(absl::PermissionDeniedError("pair_certificate is the certificate of its own CA"));
  }
  ZC_RETURN_IF_ERROR(
      Denied(pki::VerifyText(request.pair_certificate(), token::MemberText(request.token_proof()),
                             request.pair_signature())));
  return *ca_key;
}

}  // namespace zcluster::controller
