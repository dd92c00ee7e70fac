// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/netlink.h"

namespace zcluster::conntrack {

// Reads the kernel's whole table, a part at a time, at the reader's pace: what is not read yet
// waits in the kernel's table itself, so a slow reader costs no memory, and each flow is told as it
// is when its part is made. Not a consistent cut: flows that come or go meanwhile may or may not be
// told. Whoever needs that listens to events from before Begin(). One thread.
class Snapshot {
 public:
  // Starts over, in the network namespace of the calling thread. `labels`: read them, too.
  absl::Status Begin(bool labels = true);
  // Forgets what is left.
  void Abandon() { socket_.reset(); }
  bool Running() const { return socket_ != nullptr; }

  // Appends the next part, some 140 flows, to `flows`, without those that are not replicable.
  // False: that was the last. After an error the snapshot is abandoned.
  absl::StatusOr<bool> Next(std::vector<Flow>& flows);

 private:
  absl::StatusOr<bool> Read(std::vector<Flow>& flows);

  bool labels_ = true;
  std::unique_ptr<NetlinkSocket> socket_;
  std::vector<char> part_;
};

}  // namespace zcluster::conntrack
