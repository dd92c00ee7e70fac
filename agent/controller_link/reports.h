// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "absl/random/random.h"
#include "absl/time/time.h"
#include "common/loop.h"
#include "zcluster/v1/cluster.pb.h"

namespace zcluster::controller_link {

// When to report how the node sees its pair. Loop thread.
class Reports {
 public:
  // Between two looks at what changed: a brain that publishes often is looked at as often as this.
  static constexpr absl::Duration kGap = absl::Milliseconds(200);
  // As fleet_link.proto says.
  static constexpr absl::Duration kShortest = absl::Seconds(1);
  static constexpr absl::Duration kLongest = absl::Minutes(10);
  // Where the controller asks for none.
  static constexpr absl::Duration kDefault = absl::Seconds(15);

  // `status` says how it is now, `send` takes it to be sent.
  Reports(Loop& loop, std::function<v1::GetStatusResponse()> status,
          std::function<void(v1::GetStatusResponse)> send);

  // Reports now, and from then on at each change, and every `interval` (moved into its bounds, give
  // or take a tenth, so that a fleet does not report at the same moment). Once.
  void Begin(absl::Duration interval);
  // The brain has published.
  void Changed();

 private:
  void Look();
  void Send(v1::GetStatusResponse status, std::string essence);

  Loop& loop_;
  const std::function<v1::GetStatusResponse()> status_;
  const std::function<void(v1::GetStatusResponse)> send_;
  absl::Duration interval_ = absl::ZeroDuration();  // zero: not begun
  absl::Time looked_at_;
  std::string reported_;  // the essence of what was sent last
  Loop::Registration look_;
  Loop::Registration beat_;
  absl::BitGen random_;
};

}  // namespace zcluster::controller_link
