// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace zcluster::conntrack_bench {

// Makes flows as traffic does: one UDP packet of each, which the kernel routes, tracks and then
// drops. One thread.
class Packets {
 public:
  // So many packets go into one system call.
  static constexpr size_t kBatch = 64;

  // In the network namespace of the calling thread, which must have a route to the service.
  static absl::StatusOr<std::unique_ptr<Packets>> Open();
  virtual ~Packets() = default;

  // Sends the packets of flows `first` and on, `count` of them, at most kBatch.
  virtual absl::Status Send(uint64_t first, size_t count) = 0;
};

}  // namespace zcluster::conntrack_bench
