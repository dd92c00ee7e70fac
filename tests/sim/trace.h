// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>

#include "tests/sim/observer.h"
#include "tests/sim/pair.h"

namespace zcluster::sim {

// A history in words, one line for what happened and for what was decided. Beats and ticks are left
// out.
class Trace : public Observer {
 public:
  // Keeps the last `lines`, or prints each at once if that is zero.
  explicit Trace(size_t lines) : keep_(lines) {}
  void Watch(const Pair& pair) { pair_ = &pair; }
  const std::deque<std::string>& lines() const { return lines_; }

  void OnStarted(int node) override;
  void OnDied(int node) override;
  void OnHeard(int node, const core::Event& event) override;
  void OnPerformed(int node, const core::Action& action) override;
  void OnVrrp(int node, core::VrrpState state) override;
  void OnFault(absl::string_view what) override;

 private:
  void Add(int node, std::string what);

  const Pair* pair_ = nullptr;
  const size_t keep_;
  std::deque<std::string> lines_;
  std::array<std::string, 2> last_told_;
};

}  // namespace zcluster::sim
