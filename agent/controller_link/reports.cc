// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/reports.h"

#include <algorithm>
#include <utility>

#include "agent/controller_link/report.h"

namespace zcluster::controller_link {
namespace {

// Of the interval, either way.
constexpr double kJitter = 0.1;

}  // namespace

Reports::Reports(Loop& loop, std::function<v1::GetStatusResponse()> status,
                 std::function<void(v1::GetStatusResponse)> send)
    : loop_(loop), status_(std::move(status)), send_(std::move(send)) {}

void Reports::Begin(absl::Duration interval) {
  interval_ = std::clamp(interval, kShortest, kLongest);
  v1::GetStatusResponse status = status_();
  std::string essence = Essence(status);
  Send(std::move(status), std::move(essence));
}

void Reports::Changed() {
  if (interval_ == absl::ZeroDuration() || look_ != nullptr) return;
  const absl::Duration wait = std::max(looked_at_ + kGap - Loop::Now(), absl::ZeroDuration());
  look_ = loop_.After(wait, [this] { Look(); });
}

void Reports::Look() {
  look_.reset();
  v1::GetStatusResponse status = status_();
  std::string essence = Essence(status);
  if (essence != reported_) return Send(std::move(status), std::move(essence));
  looked_at_ = Loop::Now();
}

void Reports::Send(v1::GetStatusResponse status, std::string essence) {
  looked_at_ = Loop::Now();
  reported_ = std::move(essence);
  send_(std::move(status));
  beat_ = loop_.After(interval_ * absl::Uniform(random_, 1 - kJitter, 1 + kJitter), [this] {
    v1::GetStatusResponse now = status_();
    std::string what = Essence(now);
    Send(std::move(now), std::move(what));
  });
}

}  // namespace zcluster::controller_link
