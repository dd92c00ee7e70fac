// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "agent/identity/identity.h"

namespace zcluster::identity {
namespace {

constexpr char kComponent[] = "certificate";
// Between tries of what failed.
constexpr absl::Duration kSoonestTry = absl::Seconds(1);
constexpr absl::Duration kLatestTry = absl::Minutes(1);

}  // namespace

Renewal::Renewal(Loop& loop, Options options)
    : loop_(loop),
      kept_{std::move(options.files), std::move(options.directory), std::move(options.uri),
            options.lifetime,         "this node's certificate",    "the pair's CA",
            "copy it from the peer"},
      backoff_(kSoonestTry, kLatestTry) {}

absl::Status Renewal::Start(EventSink& events) {
  events_ = &events;
  Look();
  return absl::OkStatus();
}

void Renewal::Stop() {
  timer_.reset();
  events_ = nullptr;
}

absl::StatusOr<absl::Time> Renewal::Expires() const { return ExpiryOf(kept_.files.certificate); }

void Renewal::Look() {
  const Finding finding = RenewIfDue(kept_);
  if (!finding.retry) backoff_.Reset();
  timer_ = loop_.After(finding.retry ? backoff_.Next() : NextLook(finding), [this] { Look(); });
  if (finding.problem == problem_) return;
  problem_ = finding.problem;
  events_->Report(core::ComponentReported{kComponent, problem_});
}

}  // namespace zcluster::identity
