// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/api/api.h"
#include "agent/core/types.h"
#include "zcluster/v1/cluster.pb.h"

namespace zcluster::api {

// The latest view that the brain published, and how it looks to operators. Loop thread.
class Board {
 public:
  explicit Board(Options options);

  void Publish(core::View view);
  // Whether the brain has published at all.
  bool started() const { return started_; }
  const core::View& view() const { return view_; }
  const Options& options() const { return options_; }
  void SetOptions(Options options) { options_ = std::move(options); }
  void ShowController(std::function<v1::ControllerState()> state) {
    controller_ = std::move(state);
  }

  // FAILED_PRECONDITION, with the way out, if this node is in no pair.
  absl::Status InPair() const;

  // `now` is the loop's clock.
  v1::NodesResponse Nodes(absl::Time now) const;
  v1::GetStatusResponse Status(absl::Time now) const;

 private:
  Options options_;
  bool started_ = false;
  core::View view_;
  std::function<v1::ControllerState()> controller_;  // null: there is none
};

}  // namespace zcluster::api
