// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/conntrack/table.h"

namespace zcluster::conntrack_bench {

// Hears of each flow that is made in a network namespace. One thread.
class Events {
 public:
  // In the network namespace of the calling thread. After a wake-up it sleeps for `nap` before it
  // reads, so that events gather and are cheaper.
  static absl::StatusOr<std::unique_ptr<Events>> Open(absl::Duration nap);

  // Waits for events, but no longer than `patience`, and calls `heard` with each of a batch. How
  // many those were; 0: none came.
  int Wait(absl::Duration patience, const std::function<void(const nlmsghdr& event)>& heard);

  // How often the kernel had to drop events.
  uint64_t overruns() const { return overruns_; }

 private:
  struct Ring;
  Events(Socket socket, absl::Duration nap);
  int Read(const std::function<void(const nlmsghdr& event)>& heard);

  const Socket socket_;
  const absl::Duration nap_;
  const std::shared_ptr<Ring> ring_;
  uint64_t overruns_ = 0;
};

}  // namespace zcluster::conntrack_bench
