// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/renewal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/controller_link/fleet_identity.h"
#include "common/certificate.h"
#include "common/identity.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/status.h"

namespace zcluster::controller_link {
namespace {

constexpr double kRenewAt = 1.0 / 3;  // of its time is left
// The controller signs at once, or waits for a disk.
constexpr absl::Duration kAnswerTime = absl::Seconds(30);
constexpr absl::Duration kSoonestTry = absl::Seconds(1);
constexpr absl::Duration kLatestTry = absl::Minutes(10);

// What a look at the present certificate came to.
struct Look {
  absl::Status status;
  absl::Duration life;  // of the certificate
  std::string key;      // empty: it is not due
  v1::CertificateRequest request;
};

absl::Status Inspect(const std::string& directory, struct Look& look) {
  ZC_ASSIGN_OR_RETURN(identity::Identity present, identity::Load(directory));
  pki::Wipe(present.key);
  ZC_ASSIGN_OR_RETURN(const pki::Validity validity, pki::ValidityOf(present.certificate));
  const absl::Duration dated = validity.to - validity.from;
  look.life = dated > pki::kBackdated ? dated - pki::kBackdated : dated;
  if (validity.to - absl::Now() > look.life * kRenewAt) return absl::OkStatus();
  ZC_ASSIGN_OR_RETURN(const std::string uri, tls::UriOf(present.certificate));
  ZC_ASSIGN_OR_RETURN(look.key, pki::MakeKey());
  ZC_ASSIGN_OR_RETURN(*look.request.mutable_request(), pki::MakeRequest(look.key, uri));
  return absl::OkStatus();
}

absl::Status InstallRenewed(const std::string& directory, const v1::IssuedCertificate& answer,
                            const std::string& key) {
  ZC_ASSIGN_OR_RETURN(identity::Identity present, identity::Load(directory));
  pki::Wipe(present.key);
  identity::Identity issued{
      .certificate = answer.certificate(), .key = key, .ca = answer.ca_certificate(), .ca_key = ""};
  absl::Status status = CheckRenewed(issued, present);
  if (status.ok()) status = identity::Install(directory, issued);
  pki::Wipe(issued.key);
  return status;
}

}  // namespace

Renewal::Renewal(Loop& loop, Disk& disk, std::string directory,
                 std::function<void(v1::CertificateRequest)> ask)
    : loop_(loop),
      disk_(disk),
      directory_(std::move(directory)),
      ask_(std::move(ask)),
      backoff_(kSoonestTry, kLatestTry) {}

Renewal::~Renewal() { End(); }

void Renewal::Begin() {
  End();
  up_ = true;
  Look();
}

void Renewal::End() {
  ++streams_;
  up_ = false;
  pki::Wipe(pending_key_);
  timer_.reset();
}

void Renewal::LookAfter(absl::Duration wait) {
  timer_ = loop_.After(wait, [this] { Look(); });
}

void Renewal::Look() {
  disk_.Do([this, stream = streams_, directory = directory_]() -> Disk::Then {
    struct Look look;
    look.status = Inspect(directory, look);
    return [this, stream, look = std::move(look)]() mutable {
      if (stream != streams_) return pki::Wipe(look.key);
      if (!look.status.ok()) return Failed(std::string(look.status.message()));
      if (!look.key.empty()) return Asked(std::move(look.key), std::move(look.request));
      backoff_.Reset();
      LookAfter(identity::NextLook({.life = look.life}));
    };
  });
}

void Renewal::Asked(std::string key, v1::CertificateRequest request) {
  pending_key_ = std::move(key);
  timer_ = loop_.After(kAnswerTime, [this] { Failed("the controller does not answer"); });
  ask_(std::move(request));
}

void Renewal::Answered(v1::IssuedCertificate answer) {
  if (!up_ || pending_key_.empty()) return;
  if (answer.certificate().empty()) {
    return Failed(absl::StrCat("the controller says: ",
                               answer.problem().empty() ? "nothing" : answer.problem()));
  }
  timer_.reset();
  disk_.Do([this, stream = streams_, directory = directory_, answer = std::move(answer),
            key = std::exchange(pending_key_, "")]() mutable -> Disk::Then {
    const absl::Status status = InstallRenewed(directory, answer, key);
    pki::Wipe(key);
    return [this, stream, status] {
      if (status.ok()) log::Info("controller_certificate_renewed", {});
      if (stream != streams_) return;
      if (!status.ok()) return Failed(std::string(status.message()));
      // Should it be due again already, the next try is not sooner than after a failure.
      LookAfter(backoff_.Next());
    };
  });
}

void Renewal::Failed(const std::string& why) {
  pki::Wipe(pending_key_);
  log::Warning("controller_certificate_not_renewed", {{"problem", why}});
  LookAfter(backoff_.Next());
}

}  // namespace zcluster::controller_link
