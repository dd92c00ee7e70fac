// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/root_password.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/scrubbing.h"

namespace zcluster::bootstrap {
namespace {

// For a wrong one: with five tries this is politeness to PAM's logs rather than protection.
constexpr absl::Duration kLeastDelay = absl::Seconds(2);
// What a module may ask for beyond that; the caller's stream ends after ten seconds.
constexpr absl::Duration kMostDelay = absl::Seconds(8);

}  // namespace

RootPassword::RootPassword(Loop& loop, std::string service)
    : loop_(loop), service_(std::move(service)), inlet_(std::make_shared<Inlet>(loop)) {}

RootPassword::~RootPassword() {
  inlet_->Shut();
  if (thread_.joinable()) thread_.join();
}

void RootPassword::Check(Secret password, std::string from, Answer answer) {
  ZC_CHECK(!busy());
  if (thread_.joinable()) thread_.join();  // it has told its answer: nothing is left of it
  answer_ = std::move(answer);
  asked_ = Loop::Now();
  thread_ = std::thread([this, inlet = inlet_, secret = std::move(password), from] {
    const Scrubbing scrubbing;
    const PamAnswer heard = AskPam(service_, from, *secret);
    inlet->Post([this, heard] { Heard(heard); });
  });
}

void RootPassword::Heard(const PamAnswer& heard) {
  if (heard.status.ok()) return Tell(heard.status);
  const absl::Duration delay = std::min(std::max(heard.delay, kLeastDelay), kMostDelay);
  const absl::Duration rest = std::max(asked_ + delay - Loop::Now(), absl::ZeroDuration());
  delay_ = loop_.After(rest, [this, status = heard.status] { Tell(status); });
}

void RootPassword::Tell(const absl::Status& status) { std::exchange(answer_, nullptr)(status); }

}  // namespace zcluster::bootstrap
