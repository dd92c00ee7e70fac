// SPDX-License-Identifier: Apache-2.0
// Who may reach the controller from elsewhere.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/access/right_proto.h"
#include "common/status.h"
#include "common/strings.h"
#include "common/tls.h"
#include "controller/core/names.h"
#include "controller/hub/hub.h"

namespace zcluster::controller {
namespace {

constexpr absl::Duration kLifetime = absl::Hours(24 * 365);
constexpr size_t kMaxOperators = 256;  // as of a pair

}  // namespace

void Hub::Admitted() {
  std::vector<access::Operator> operators;
  for (const auto& [name, one] : ledger_.operators())
    operators.push_back({name, one.right, one.key});
  admit_(std::move(operators));
}

void Hub::AddOperator(const v1::AddOperatorRequest& request,
                      Answer<v1::AddOperatorResponse> answer) {
  const auto response = std::make_shared<v1::AddOperatorResponse>();
  const auto decide = [this, request, response]() -> absl::StatusOr<Changes> {
    ZC_RETURN_IF_ERROR(Annotate(CheckNodeName(request.name()), "name"));
    const access::Right right = access::FromProto(request.role());
    if (right == access::Right::kNone) {
      return absl::InvalidArgumentError("role: is missing; expected viewer, operator or admin");
    }
    if (ledger_.operators().size() >= kMaxOperators &&
        ledger_.operators().count(request.name()) == 0) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "there are ", kMaxOperators, " operators already; revoke one that is not needed"));
    }
    const pki::Terms terms = {tls::OperatorUri(options_.fleet, request.name()), kLifetime};
    const absl::StatusOr<std::string> certificate = signer_.sign(request.request(), terms);
    ZC_RETURN_IF_ERROR(Annotate(certificate.status(), "request"));
    ZC_ASSIGN_OR_RETURN(const std::string key, pki::CertificateFingerprint(*certificate));
    response->set_certificate(*certificate);
    response->set_ca_certificate(signer_.ca());
    response->set_pair(options_.fleet);
    for (const std::string& address : options_.addresses) response->add_addresses(address);
    response->mutable_expires()->set_seconds(absl::ToUnixSeconds(absl::Now() + kLifetime));
    return Changes{PutOperator{{request.name(), right, key}}};
  };
  ledger_.Transact(decide, [response, answer = std::move(answer)](const absl::Status& done) {
    if (!done.ok()) return answer(done);
    answer(*response);
  });
}

v1::ListOperatorsResponse Hub::ListOperators() const {
  v1::ListOperatorsResponse response;
  for (const auto& [name, one] : ledger_.operators()) {
    v1::PairConfig::Operator& shown = *response.add_operators();
    shown.set_name(name);
    shown.set_role(access::ToProto(one.right));
    shown.set_key(one.key);
  }
  return response;
}

void Hub::RevokeOperator(const v1::RevokeOperatorRequest& request, Done done) {
  const auto decide = [this, name = request.name()]() -> absl::StatusOr<Changes> {
    if (ledger_.operators().count(name) == 0) {
      return absl::NotFoundError(absl::StrCat("there is no operator '",
                                              Printable(name.substr(0, 63)),
                                              "'; `zctl operator list` shows them"));
    }
    return Changes{DropOperator{name}};
  };
  ledger_.Transact(decide, std::move(done));
}

}  // namespace zcluster::controller
