// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::controller {

// What one agent was asked and has not ended yet. Loop thread. `progress` may do anything, this
// object's own end included.
class Requests {
 public:
  using Progress = std::function<void(const v1::RequestProgress&)>;

  // An operator's wishes at one node, and some to spare.
  static constexpr size_t kMost = 64;

  bool full() const { return open_.size() >= kMost; }
  bool empty() const { return open_.empty(); }
  void Add(uint64_t id, Progress progress, absl::Time now);

  // Something about a request. What is of no open one is dropped.
  void Tell(const v1::RequestProgress& progress);
  // Ends those of which nothing at all was heard since `before`.
  void EndUnheard(absl::Time before, const absl::Status& why);
  void EndAll(const absl::Status& why);

  // An end, as an agent would tell it.
  static v1::RequestProgress EndOf(uint64_t id, const absl::Status& why);

 private:
  struct Open {
    Progress progress;
    absl::Time asked;
    bool heard = false;
  };
  std::map<uint64_t, Open> open_;
};

}  // namespace zcluster::controller
