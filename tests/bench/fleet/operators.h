// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "zcluster/v1/fleet.pb.h"

namespace grpc {
class Channel;
class ClientContext;
}  // namespace grpc

namespace zcluster::fleet_bench {

// Root at the controller's local socket. Calls block. One thread.
class Operator {
 public:
  explicit Operator(const std::string& socket);

  // A token that enrols one node of `pair`.
  absl::StatusOr<std::string> MakeToken(const std::string& pair);
  // All pairs, page after page, as many a page as the controller likes.
  absl::StatusOr<std::vector<v1::PairSummary>> List();

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

// Somebody who follows the fleet's events, on a thread of its own: counts those of the benchmark
// (see samples.h), and how long each took from the agent's hand to this one's.
class Follower {
 public:
  // Follows from now on.
  static absl::StatusOr<std::unique_ptr<Follower>> Start(const std::string& socket);
  ~Follower();

  // Events of the benchmark since the start.
  uint64_t seen() const { return seen_; }
  // How the controller ended the call; OK while it goes on.
  absl::Status end() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The latencies since the last time that they were taken.
  std::vector<absl::Duration> TakeLatencies() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  explicit Follower(const std::string& socket);
  void Follow() ABSL_LOCKS_EXCLUDED(mutex_);
  void Look(const v1::FleetEvents& events) ABSL_LOCKS_EXCLUDED(mutex_);

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::atomic<uint64_t> seen_{0};
  mutable absl::Mutex mutex_;
  bool began_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Duration> latencies_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace zcluster::fleet_bench
