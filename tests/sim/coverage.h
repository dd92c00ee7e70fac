// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/observer.h"

namespace zcluster::sim {

// What the brains decided, counted over all seeds: a decision that no seed brings about is not
// tested.
class Coverage final : public Observer {
 public:
  void OnStarted(int node) override;
  void OnDied(int) override { ++count_["agent died"]; }
  void OnHeard(int node, const core::Event& event) override;
  void OnPerformed(int node, const core::Action& action) override;
  void OnVrrp(int node, core::VrrpState state) override;
  void OnFault(absl::string_view what) override;

  // Before each seed.
  void Begin();

  const std::map<std::string, uint64_t>& count() const { return count_; }
  uint64_t steps() const { return steps_; }
  // Those of kExpected that were never seen, and those of kNever that were.
  std::vector<std::string> Missing() const;

 private:
  void CountConfigured(int node);

  std::map<std::string, uint64_t> count_;
  uint64_t steps_ = 0;
  std::array<core::VrrpState, 2> vrrp_ = {};
  std::array<core::Role, 2> role_ = {};
  std::map<std::pair<int, uint64_t>, core::OperationKind> asked_;  // and not ended yet
};

}  // namespace zcluster::sim
