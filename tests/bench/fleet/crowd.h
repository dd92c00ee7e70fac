// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/loop.h"
#include "tests/support/fleet_agent.h"

namespace zcluster::fleet_bench {

// Many agents that live as real ones do: they report at once and then at the pace that their
// Welcome says, with jitter, and come back when a stream ends. One caller at a time.
class Crowd {
 public:
  Crowd(const std::string& address, const std::vector<test::FleetIdentity>& agents);
  ~Crowd();

  // All dial at once. OK when each has its Welcome; else DEADLINE_EXCEEDED with how many have, and
  // why the last stream that ended did.
  absl::Status Connect(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_);
  // Streams that ended since the start, and why the last did.
  uint64_t ended() const { return ended_; }
  std::string reason() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Tells single events, in turns, `rate` a second for so long, whether or not the controller keeps
  // up. Returns how many.
  uint64_t Tell(uint64_t rate, absl::Duration duration);
  // Each agent keeps one batch of so many events under way from now on, until 0 is asked for.
  void Flood(size_t batch) ABSL_LOCKS_EXCLUDED(mutex_);
  // Events that the controller has acknowledged.
  uint64_t acknowledged() const { return acknowledged_; }

 private:
  struct Member {
    std::unique_ptr<test::FleetAgent> agent;
    const test::FleetIdentity* identity;
    std::atomic<uint64_t> taken{0};
    std::atomic<bool> welcome{false};
    absl::Duration interval;      // of its reports; loop
    absl::Duration longest_wait;  // before it dials again; loop
    uint64_t streams = 0;         // loop
  };
  // Something that an agent shall do at a time. Loop.
  struct Due {
    absl::Time when;
    size_t member;
    uint64_t stream;  // a report of a stream that has ended is dropped; 0: dial
    bool operator<(const Due& other) const { return when > other.when; }
  };

  test::FleetAgent::Options OptionsOf(size_t member, const std::string& address);
  void OnWelcome(size_t member, const v1::Welcome& welcome) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnTaken(size_t member, uint64_t number) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnEnded(size_t member, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  void Tick();
  void Report(size_t member);
  void TellBatch(Member& member, size_t batch);
  void FillUp(Member& member, size_t batch);

  std::vector<test::FleetIdentity> identities_;
  std::vector<std::unique_ptr<Member>> members_;
  std::atomic<uint64_t> ended_{0};
  std::atomic<uint64_t> acknowledged_{0};
  std::atomic<size_t> flood_{0};
  std::atomic<bool> stopping_{false};
  mutable absl::Mutex mutex_;
  size_t welcome_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string reason_ ABSL_GUARDED_BY(mutex_);

  std::priority_queue<Due> due_;  // loop
  absl::BitGen random_;           // loop
  Loop::Registration tick_;       // loop
  Loop loop_;
  std::thread thread_;
};

}  // namespace zcluster::fleet_bench
