// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/core/action.h"
#include "agent/core/event.h"

namespace zcluster::sim {

// Who watches a run: the invariants, the counts, the trace. Called as it happens.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void OnStarted(int node) = 0;  // the agent
  virtual void OnDied(int node) = 0;
  virtual void OnHeard(int node, const core::Event& event) = 0;  // before its step
  virtual void OnPerformed(int node, const core::Action& action) = 0;
  virtual void OnVrrp(int node, core::VrrpState state) = 0;
  virtual void OnFault(absl::string_view what) = 0;  // chance broke or mended something
};

}  // namespace zcluster::sim
