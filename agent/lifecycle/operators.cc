// SPDX-License-Identifier: Apache-2.0
// Who may reach the pair from elsewhere: a part of its configuration, and certificates of its CA.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/config/check.h"
#include "agent/identity/identity.h"
#include "agent/lifecycle/lifecycle.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/tls.h"

namespace zcluster::lifecycle {
namespace {

constexpr absl::Duration kLifetime = absl::Hours(24 * 365);
constexpr uint32_t kDefaultApiPort = 7702;

auto FindOperator(v1::PairConfig& config, const std::string& name) {
  auto& operators = *config.mutable_operators();
  return std::find_if(operators.begin(), operators.end(),
                      [&](const auto& one) { return one.name() == name; });
}

}  // namespace

std::vector<std::string> Lifecycle::ApiAddresses() const {
  const config::AgentSettings& self = configuration_->settings().agent;
  const uint32_t theirs = configuration_->peer().api_port();
  return {absl::StrCat(self.node_address, ":", self.api_port),
          absl::StrCat(self.peer_address, ":", theirs == 0 ? kDefaultApiPort : theirs)};
}

absl::StatusOr<v1::AddOperatorResponse> Lifecycle::SignOperator(
    const v1::AddOperatorRequest& request) const {
  absl::StatusOr<identity::Identity> own = identity::Load(paths_.IdentityDir());
  if (!own.ok() || own->ca_key.empty()) {
    return absl::FailedPreconditionError(
        "this node does not hold the key of the pair's CA (the pair was configured by hand); have "
        "the certificate made where that key is");
  }
  const std::string& pair = configuration_->present().name();
  v1::AddOperatorResponse response;
  const absl::StatusOr<std::string> certificate = pki::Sign(
      request.request(), own->ca, own->ca_key, {tls::OperatorUri(pair, request.name()), kLifetime});
  pki::Wipe(own->ca_key);
  pki::Wipe(own->key);
  ZC_RETURN_IF_ERROR(Annotate(certificate.status(), "request"));
  response.set_certificate(*certificate);
  response.set_ca_certificate(own->ca);
  response.set_pair(pair);
  for (std::string& address : ApiAddresses()) response.add_addresses(std::move(address));
  response.mutable_expires()->set_seconds(absl::ToUnixSeconds(absl::Now() + kLifetime));
  return response;
}

void Lifecycle::AddOperator(const v1::AddOperatorRequest& request,
                            Answer<v1::AddOperatorResponse> answer) {
  absl::Status status = CheckMember();
  if (status.ok()) status = Annotate(config::CheckNodeName(request.name()), "name");
  if (status.ok() && request.role() == v1::RIGHT_UNSPECIFIED) {
    status = absl::InvalidArgumentError("role: is missing; expected viewer, operator or admin");
  }
  if (!status.ok()) return answer(status);
  absl::StatusOr<v1::AddOperatorResponse> response = SignOperator(request);
  if (!response.ok()) return answer(response.status());
  const absl::StatusOr<std::string> key = pki::CertificateFingerprint(response->certificate());
  if (!key.ok()) return answer(key.status());
  v1::PairConfig wanted = configuration_->present();
  const auto found = FindOperator(wanted, request.name());
  v1::PairConfig::Operator& one =
      found == wanted.mutable_operators()->end() ? *wanted.add_operators() : *found;
  one.set_name(request.name());
  one.set_role(request.role());
  one.set_key(*key);
  configuration_->Apply(
      wanted, [](const std::string&) {},
      [answer = std::move(answer), response = *response](const absl::Status& applied) {
        if (!applied.ok()) return answer(applied);
        answer(response);
      });
}

void Lifecycle::RevokeOperator(const v1::RevokeOperatorRequest& request,
                               Answer<v1::RevokeOperatorResponse> answer) {
  if (const absl::Status member = CheckMember(); !member.ok()) return answer(member);
  v1::PairConfig wanted = configuration_->present();
  const auto found = FindOperator(wanted, request.name());
  if (found == wanted.mutable_operators()->end()) {
    return answer(absl::NotFoundError(absl::StrCat("there is no operator '", request.name(),
                                                   "'; `zctl operator list` shows them")));
  }
  wanted.mutable_operators()->erase(found);
  configuration_->ApplyEvenAlone(
      wanted, [](const std::string&) {},
      [answer = std::move(answer)](const absl::Status& applied) {
        if (!applied.ok()) return answer(applied);
        answer(v1::RevokeOperatorResponse());
      });
}

}  // namespace zcluster::lifecycle
