// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/file.h"
#include "common/identity.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/status.h"

namespace zcluster::identity {
namespace {

constexpr size_t kMaxPem = 256 << 10;

// What share of its time is left when something is due. A third, and not less: a week's holiday
// fits into what is left of 90 days.
constexpr double kRenewAt = 1.0 / 3;
constexpr double kRenewCaAt = 1.0 / 10;
constexpr double kWarnAt = 1.0 / 6;

// We look often enough for whoever tests with seconds; no oftener than costs nothing, and no more
// seldom than an operator who just mended something likes to wait.
constexpr double kLooksInALife = 30;
constexpr absl::Duration kSoonestLook = absl::Milliseconds(200);
constexpr absl::Duration kLatestLook = absl::Minutes(1);

// From when it was made to its end; another's was not made to begin earlier.
absl::Duration LifeOf(const pki::Validity& validity) {
  const absl::Duration dated = validity.to - validity.from;
  return dated > pki::kBackdated ? dated - pki::kBackdated : dated;
}

bool HasLess(const pki::Validity& validity, double share, absl::Time now) {
  return validity.to - now <= LifeOf(validity) * share;
}

// As well if it is not good yet: it was made while the clock was ahead.
bool IsDue(const pki::Validity& validity, double share, absl::Time now) {
  return now < validity.from || HasLess(validity, share, now);
}

absl::StatusOr<pki::Validity> ValidityIn(const std::string& path) {
  ZC_ASSIGN_OR_RETURN(const std::string certificate, ReadFile(path, kMaxPem));
  absl::StatusOr<pki::Validity> validity = pki::ValidityOf(certificate);
  if (!validity.ok()) return Annotate(validity.status(), path);
  return validity;
}

struct Dates {
  pki::Validity certificate;
  pki::Validity ca;
};
absl::StatusOr<Dates> DatesOf(const Kept& kept) {
  absl::StatusOr<pki::Validity> certificate = ValidityIn(kept.files.certificate);
  if (!certificate.ok()) return Annotate(certificate.status(), kept.certificate_called);
  absl::StatusOr<pki::Validity> ca = ValidityIn(kept.files.ca);
  if (!ca.ok()) return Annotate(ca.status(), kept.ca_called);
  return Dates{*certificate, *ca};
}

std::string Date(absl::Time when) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", when, absl::UTCTimeZone());
}

// What is wrong with the dates of what `called` names; empty if nothing is.
std::string Trouble(absl::string_view called, const pki::Validity& validity, double warn_at) {
  const absl::Time now = absl::Now();
  if (now < validity.from) {
    return absl::StrCat(called, " is not good before ", Date(validity.from),
                        "; set the clock right, or put another one in its place");
  }
  if (!HasLess(validity, warn_at, now)) return "";
  return absl::StrCat(called, now > validity.to ? " expired on " : " expires on ",
                      Date(validity.to), "; put a new one in its place, it is taken up by itself");
}

std::string Trouble(const Kept& kept, const Dates& dates) {
  const std::string trouble =
      Trouble(absl::StrCat(kept.certificate_called, " ", kept.files.certificate), dates.certificate,
              kWarnAt);
  if (!trouble.empty()) return trouble;
  return Trouble(absl::StrCat(kept.ca_called, " ", kept.files.ca), dates.ca, kRenewCaAt);
}

// A new key and certificate.
absl::Status RenewCertificate(const Kept& kept, Identity& identity) {
  ZC_ASSIGN_OR_RETURN(std::string key, pki::MakeKey());
  identity.key.swap(key);
  pki::Wipe(key);
  ZC_ASSIGN_OR_RETURN(const std::string request, pki::MakeRequest(identity.key, kept.uri));
  ZC_ASSIGN_OR_RETURN(identity.certificate,
                      pki::Sign(request, identity.ca, identity.ca_key, {kept.uri, kept.lifetime}));
  return absl::OkStatus();
}

absl::Status Renew(const Kept& kept, bool certificate, bool ca) {
  ZC_ASSIGN_OR_RETURN(Identity identity, Load(kept.directory));
  const absl::Cleanup wipe = [&identity] {
    pki::Wipe(identity.key);
    pki::Wipe(identity.ca_key);
  };
  if (identity.ca_key.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        kept.directory, "/current/ca.key: the CA's key is missing; ", kept.lost_key_remedy));
  }
  if (ca) {
    ZC_ASSIGN_OR_RETURN(identity.ca, pki::RenewCa(identity.ca_key, identity.ca));
  }
  if (certificate) ZC_RETURN_IF_ERROR(RenewCertificate(kept, identity));
  return Install(kept.directory, identity);
}

absl::Status RenewWhatIsDue(const Kept& kept, const Dates& dates) {
  const absl::Time now = absl::Now();
  const bool certificate = IsDue(dates.certificate, kRenewAt, now);
  const bool ca = IsDue(dates.ca, kRenewCaAt, now);
  if (!certificate && !ca) return absl::OkStatus();
  const std::string what =
      certificate
          ? absl::StrCat(kept.certificate_called, ", which ends on ", Date(dates.certificate.to))
          : absl::StrCat(kept.ca_called, ", which ends on ", Date(dates.ca.to));
  const absl::Status status = Renew(kept, certificate, ca);
  if (!status.ok()) return Annotate(status, absl::StrCat(what, ", cannot be renewed"));
  log::Info("certificate_renewed",
            {{"certificate", certificate ? "yes" : "no"}, {"ca", ca ? "yes" : "no"}});
  return absl::OkStatus();
}

}  // namespace

Finding RenewIfDue(const Kept& kept) {
  absl::StatusOr<Dates> dates = DatesOf(kept);
  absl::Status status = dates.status();
  if (status.ok() && !kept.directory.empty()) {
    status = RenewWhatIsDue(kept, *dates);
    if (status.ok()) dates = DatesOf(kept);
    status.Update(dates.status());
  }
  if (!status.ok()) {
    return {.problem = absl::StrCat(status.message(), "; mend that, it is tried again by itself"),
            .retry = true};
  }
  return {.problem = Trouble(kept, *dates), .life = LifeOf(dates->certificate)};
}

absl::Duration NextLook(const Finding& finding) {
  return std::clamp(finding.life / kLooksInALife, kSoonestLook, kLatestLook);
}

absl::StatusOr<absl::Time> ExpiryOf(const std::string& certificate_file) {
  ZC_ASSIGN_OR_RETURN(const pki::Validity validity, ValidityIn(certificate_file));
  return validity.to;
}

}  // namespace zcluster::identity
