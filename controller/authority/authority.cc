// SPDX-License-Identifier: Apache-2.0
#include "controller/authority/authority.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/certificate.h"
#include "common/file.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::controller {
namespace {

constexpr size_t kMaxPem = 64 << 10;
// Between tries of a renewal that failed.
constexpr absl::Duration kRetry = absl::Seconds(30);

void WipeKeys(identity::Identity& identity) {
  pki::Wipe(identity.key);
  pki::Wipe(identity.ca_key);
}

// A certificate for a new key of this controller.
absl::Status Certify(const std::string& uri, absl::Duration lifetime,
                     identity::Identity& identity) {
  ZC_ASSIGN_OR_RETURN(identity.key, pki::MakeKey());
  ZC_ASSIGN_OR_RETURN(const std::string request, pki::MakeRequest(identity.key, uri));
  ZC_ASSIGN_OR_RETURN(identity.certificate,
                      pki::Sign(request, identity.ca, identity.ca_key, {uri, lifetime}));
  return absl::OkStatus();
}

absl::Status MakeFleet(const std::string& fleet, const identity::Kept& kept) {
  identity::Identity made;
  const absl::Cleanup wipe = [&made] { WipeKeys(made); };
  ZC_ASSIGN_OR_RETURN(made.ca_key, pki::MakeKey());
  ZC_ASSIGN_OR_RETURN(made.ca, pki::MakeCa(made.ca_key, absl::StrCat("zcluster fleet ", fleet)));
  ZC_RETURN_IF_ERROR(Certify(kept.uri, kept.lifetime, made));
  ZC_RETURN_IF_ERROR(identity::Install(kept.directory, made));
  log::Info("fleet_made", {{"fleet", fleet}});
  return absl::OkStatus();
}

// Whether what lies there is of this fleet and of this controller.
absl::Status Adopt(const std::string& fleet, const identity::Kept& kept,
                   identity::Identity& found) {
  ZC_ASSIGN_OR_RETURN(const std::string uri, tls::UriOf(found.certificate));
  if (uri == kept.uri) return absl::OkStatus();
  if (!absl::StartsWith(uri, tls::ControllerUri(fleet, ""))) {
    return absl::FailedPreconditionError(
        absl::StrCat("name: is '", fleet, "', but ", kept.directory, " holds ", uri,
                     ": the name of a fleet stands in every certificate and cannot be changed; "
                     "give the old name, or begin anew with another --state-dir"));
  }
  ZC_RETURN_IF_ERROR(Certify(kept.uri, kept.lifetime, found));
  log::Info("controller_renamed", {{"was", uri}, {"is", kept.uri}});
  return identity::Install(kept.directory, found);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Authority>> Authority::Open(Loop& loop, Options options) {
  const std::string fleet = options.fleet;
  std::unique_ptr<Authority> authority(new Authority(loop, std::move(options)));
  absl::StatusOr<identity::Identity> found = identity::Load(authority->kept_.directory);
  if (absl::IsNotFound(found.status())) {
    ZC_RETURN_IF_ERROR(MakeFleet(fleet, authority->kept_));
  } else {
    ZC_RETURN_IF_ERROR(found.status());
    const absl::Cleanup wipe = [&found] { WipeKeys(*found); };
    ZC_RETURN_IF_ERROR(Adopt(fleet, authority->kept_, *found));
  }
  authority->Look();
  return authority;
}

Authority::Authority(Loop& loop, Options options)
    : loop_(loop),
      kept_{identity::FilesIn(options.directory),
            options.directory,
            tls::ControllerUri(options.fleet, options.name),
            options.lifetime,
            "the controller's certificate",
            "the fleet's CA",
            "put it back from a backup"} {}

void Authority::Look() {
  const identity::Finding finding = identity::RenewIfDue(kept_);
  timer_ = loop_.After(finding.retry ? kRetry : identity::NextLook(finding), [this] { Look(); });
  if (finding.problem == problem_) return;
  problem_ = finding.problem;
  if (!problem_.empty()) log::Warning("certificate_trouble", {{"problem", problem_}});
}

absl::StatusOr<std::string> Authority::Sign(const std::string& request,
                                            const pki::Terms& terms) const {
  ZC_ASSIGN_OR_RETURN(identity::Identity own, identity::Load(kept_.directory));
  const absl::Cleanup wipe = [&own] { WipeKeys(own); };
  if (own.ca_key.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        kept_.directory, "/current/ca.key is missing: without it nobody can be let in"));
  }
  return pki::Sign(request, own.ca, own.ca_key, terms);
}

std::string Authority::Ca() const { return ReadFile(files().ca, kMaxPem).value_or(""); }

}  // namespace zcluster::controller
