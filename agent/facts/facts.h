// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/adapter.h"
#include "agent/facts/admission.h"
#include "agent/facts/backends.h"
#include "agent/facts/hearing.h"
#include "agent/facts/kernel.h"
#include "agent/facts/strangers.h"
#include "common/unique_fd.h"

// What this machine is like, as far as a failover depends on it (agent/core/facts.h has the names).
namespace zcluster::facts {

struct Options {
  std::string address;                         // this node's, IPv4, that its adverts come from
  std::string peer_address;                    // where the peer's come from
  std::string version;                         // of program and protocol, for people
  uint64_t generation = 0;                     // of the pair's configuration
  std::vector<Vip> vips;                       // at most 32 networks of them are looked at
  std::vector<std::string> backends;           // ADDRESS:PORT, at most 32
  std::vector<std::string> peer_links;         // ADDRESS:PORT of its agent, at most 8
  std::string kept_dir = {};                   // where files are kept aside (common/kept_files.h)
  std::string state_dir;                       // whose disk is looked at
  std::string certificate;                     // this node's, PEM
  absl::Duration interval = absl::Seconds(5);  // between two looks
  std::string interface = {};                  // VRRP's
  int router_id = 0;                           // VRRP's
  bool multicast = false;                      // VRRP's adverts go to its group
  MustPass must_pass = {};
  std::string nft = "/usr/sbin/nft";
};

// Looks at each interval, on a thread of its own, and reports FactsReported when something is
// another: first what the kernel says at once, then which backends answer. What cannot be read is
// left out. Loop thread.
class Facts : public Adapter {
 public:
  explicit Facts(Options options);
  ~Facts() override;

  absl::Status Start(EventSink& events) override;
  // Looks again at once.
  void Reconfigure(Options options) ABSL_LOCKS_EXCLUDED(mutex_);
  void Perform(const core::Action&) override {}
  // Ends a look that is under way; does not wait for backends.
  void Stop() override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Look() ABSL_LOCKS_EXCLUDED(mutex_);
  // False: stopped.
  bool Wait(absl::Duration interval) ABSL_LOCKS_EXCLUDED(mutex_);
  Options Newest() ABSL_LOCKS_EXCLUDED(mutex_);
  // `facts`, and who was reached when that was tried last.
  std::vector<core::Fact> WithReach(std::vector<core::Fact> facts, const Options& options) const;
  void Report(std::vector<core::Fact> facts);

  absl::Mutex mutex_;
  Options options_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool again_ ABSL_GUARDED_BY(mutex_) = false;
  const UniqueFd stop_;  // readable once stopped
  std::thread thread_;

  // The thread's own.
  EventSink* events_ = nullptr;
  Admission admission_;
  Backends backends_;
  Backends links_;
  Hearing hearing_;
  Strangers strangers_;
  std::vector<core::Fact> told_;
};

}  // namespace zcluster::facts
