// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "agent/adapter.h"
#include "common/unique_fd.h"

namespace zcluster::facts {

// What shows that clients can be reached.
struct PathTargets {
  std::vector<std::string> interfaces;  // that carry the service; at most 32
  std::vector<std::string> backends;    // ADDRESS:PORT, at most 32
};

struct PathOutcome {
  bool alive = false;
  std::string evidence;  // one sentence without a full stop
};

// Asks from now on, over `targets.interfaces` alone: by ARP and neighbour discovery the gateways
// that the routing tables have there, by a TCP connection the backends (a refusal is an answer,
// too). Alive with the first answer; not alive if none comes within `patience`, or `stop` is
// readable before.
PathOutcome ProbePath(const PathTargets& targets, absl::Duration patience, int stop);

// The gateways of `interface` in a text as /proc/net/route has it; at most 8. Pure.
std::vector<std::string> GatewaysIn(const std::string& routes, const std::string& interface);

// The same for /proc/net/ipv6_route.
std::vector<std::string> Gateways6In(const std::string& routes, const std::string& interface);

// Carries out ProbePath, the newest only, on a thread of its own; each that is not overtaken is
// answered by PathProbed. Loop thread.
class Path : public Adapter {
 public:
  // An honest network answers in milliseconds; whoever asks waits for half a second.
  static constexpr absl::Duration kPatience = absl::Milliseconds(300);

  explicit Path(PathTargets targets);
  ~Path() override;

  absl::Status Start(EventSink& events) override;
  // From the next probe on.
  void Reconfigure(PathTargets targets) ABSL_LOCKS_EXCLUDED(mutex_);
  void Perform(const core::Action& action) override ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends a probe that is under way.
  void Stop() override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  PathTargets targets_ ABSL_GUARDED_BY(mutex_);
  absl::optional<uint64_t> wanted_ ABSL_GUARDED_BY(mutex_);  // nonce
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  const UniqueFd stop_;  // readable once stopped
  EventSink* events_ = nullptr;
  std::thread thread_;
};

}  // namespace zcluster::facts
