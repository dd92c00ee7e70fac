// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "agent/core/types.h"
#include "common/interface.h"
#include "common/loop.h"
#include "common/unique_fd.h"

namespace zcluster::health {

// The kernel may tell a carrier up to a second late (net/core/link_watch.c), on one node sooner
// than on the other.
inline constexpr absl::Duration kInterfaceSettles = absl::Milliseconds(1200);

// The tracked interfaces: each must be there, up, and have a carrier. rtnetlink says that something
// is another; what it is the kernel is asked for, so that a message that was lost, or one of an
// interface that had another name meanwhile, misleads nobody. Loop thread.
class Interfaces {
 public:
  // `changed` follows when Results() are others; not within a call of ours.
  Interfaces(Loop& loop, std::function<void()> changed);

  // In the calling thread's network namespace.
  absl::Status Start();
  void Track(const std::vector<std::string>& names);
  // In the order of the names.
  std::vector<core::HealthCheck> Results() const;
  void Stop() { watch_.reset(); }

 private:
  void OnMessages();
  // True if one is another than before.
  bool Look();

  Loop& loop_;
  const std::function<void()> changed_;
  UniqueFd socket_;
  Loop::Registration watch_;
  std::vector<std::pair<std::string, InterfaceState>> states_;
};

}  // namespace zcluster::health
