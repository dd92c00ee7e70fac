// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "agent/adapter.h"
#include "agent/health/check.h"
#include "agent/health/gateways.h"
#include "agent/health/interfaces.h"
#include "common/loop.h"

// Is this node fit to serve, besides what VRRP itself sees?
namespace zcluster::health {

struct Options {
  std::string node_name;
  std::vector<std::string> interfaces = {};  // tracked
  std::vector<std::string> gateways = {};    // IPv4 and IPv6
  FindWays find_ways = nullptr;              // needed where there are gateways
  absl::optional<CheckOptions> check = {};
  std::vector<std::string> programs = {};  // that this node allows
};

// Watches interfaces, asks gateways, runs the check, and reports HealthReported when a result is
// another. What to do about it is the brain's question. Loop thread.
class Health : public Adapter {
 public:
  Health(Loop& loop, Options options);
  ~Health() override;

  absl::Status Start(EventSink& events) override;
  // What was checked before as it is now goes on.
  void Reconfigure(Options options);
  void Perform(const core::Action&) override {}
  void Stop() override;

 private:
  void Apply();
  void Report();

  Options options_;
  EventSink* events_ = nullptr;
  Interfaces interfaces_;
  Gateways gateways_;
  Check check_;
  std::vector<core::HealthCheck> told_;
};

}  // namespace zcluster::health
