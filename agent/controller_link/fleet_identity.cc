// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/fleet_identity.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/certificate.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/tls.h"

namespace zcluster::controller_link {
namespace {

constexpr size_t kMaxName = 63;
constexpr absl::string_view kScheme = "zcluster://";
constexpr absl::string_view kCalled = "the certificate that the controller issued";

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.';
         });
}

// The certificate belongs to the key beside it and comes from the CA beside it. Its URI.
absl::StatusOr<std::string> CheckParts(const identity::Identity& issued) {
  ZC_RETURN_IF_ERROR(Annotate(tls::CheckKey(issued.certificate, issued.key), kCalled));
  ZC_ASSIGN_OR_RETURN(const tls::Identity proved,
                      tls::Identify({.certificate = issued.certificate,
                                     .chain = issued.certificate,
                                     .ca = issued.ca,
                                     .called = kCalled},
                                    tls::Use::kClient, "this node as an agent"));
  return proved.uri;
}

}  // namespace

std::string FleetName::Uri() const { return tls::AgentUri(fleet, pair, node); }

absl::StatusOr<FleetName> ParseAgentUri(absl::string_view uri) {
  absl::string_view rest = uri;
  const std::vector<absl::string_view> parts = absl::ConsumePrefix(&rest, kScheme)
                                                   ? absl::StrSplit(rest, '/')
                                                   : std::vector<absl::string_view>();
  if (parts.size() != 4 || parts[1] != "agent" || !IsName(parts[0]) || !IsName(parts[2]) ||
      !IsName(parts[3])) {
    return absl::InvalidArgumentError("names no agent: expected zcluster://FLEET/agent/PAIR/NODE");
  }
  return FleetName{std::string(parts[0]), std::string(parts[2]), std::string(parts[3])};
}

absl::StatusOr<std::string> ControllerName(absl::string_view fleet, absl::string_view uri) {
  const std::string prefix = tls::ControllerUri(fleet, "");
  absl::string_view name = uri;
  if (!absl::ConsumePrefix(&name, prefix) || !IsName(name)) {
    return absl::UnauthenticatedError(
        absl::StrCat("the other side is no controller of the fleet ", fleet));
  }
  return std::string(name);
}

absl::StatusOr<FleetName> CheckIssued(const identity::Identity& issued, absl::string_view node) {
  ZC_ASSIGN_OR_RETURN(const std::string uri, CheckParts(issued));
  absl::StatusOr<FleetName> name = ParseAgentUri(uri);
  if (!name.ok()) return Annotate(name.status(), kCalled);
  if (name->node != node) {
    return absl::InvalidArgumentError(
        absl::StrCat(kCalled, " is for the node ", name->node, ", not for ", node));
  }
  return name;
}

absl::Status CheckRenewed(const identity::Identity& issued, const identity::Identity& present) {
  ZC_ASSIGN_OR_RETURN(const std::string uri, CheckParts(issued));
  ZC_ASSIGN_OR_RETURN(const std::string own, tls::UriOf(present.certificate));
  if (uri != own) {
    return absl::InvalidArgumentError(absl::StrCat(kCalled, " names somebody else than ", own));
  }
  ZC_ASSIGN_OR_RETURN(const std::string ca, pki::CertificateFingerprint(issued.ca));
  ZC_ASSIGN_OR_RETURN(const std::string known, pki::CertificateFingerprint(present.ca));
  if (ca != known) {
    return absl::InvalidArgumentError(
        absl::StrCat(kCalled, " is signed by another CA than this fleet's"));
  }
  return absl::OkStatus();
}

}  // namespace zcluster::controller_link
