// SPDX-License-Identifier: Apache-2.0
#include "agent/health/health.h"

#include <utility>

#include "common/status.h"

namespace zcluster::health {

Health::Health(Loop& loop, Options options)
    : options_(std::move(options)),
      interfaces_(loop, [this] { Report(); }),
      gateways_(loop, [this] { Report(); }),
      check_(loop, options_.node_name, [this] { Report(); }) {}

Health::~Health() { Stop(); }

absl::Status Health::Start(EventSink& events) {
  events_ = &events;
  ZC_RETURN_IF_ERROR(interfaces_.Start());
  Apply();
  return absl::OkStatus();
}

void Health::Reconfigure(Options options) {
  options_ = std::move(options);
  if (events_ != nullptr) Apply();
}

void Health::Stop() {
  events_ = nullptr;
  interfaces_.Stop();
  gateways_.Stop();
  check_.Stop();
}

void Health::Apply() {
  interfaces_.Track(options_.interfaces);
  gateways_.Ask(options_.gateways, options_.find_ways);
  check_.Run(options_.check, options_.programs);
  Report();
}

void Health::Report() {
  if (events_ == nullptr) return;
  std::vector<core::HealthCheck> checks = interfaces_.Results();
  for (core::HealthCheck& gateway : gateways_.Results()) checks.push_back(std::move(gateway));
  if (absl::optional<core::HealthCheck> check = check_.Result()) {
    checks.push_back(*std::move(check));
  }
  if (checks == told_) return;
  told_ = std::move(checks);
  events_->Report(core::HealthReported{told_});
}

}  // namespace zcluster::health
