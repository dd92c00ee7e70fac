// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "agent/conntrack/expectation.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/netlink.h"

namespace zcluster::conntrack {

enum class Verb {
  kCreate,
  kUpdate,
  kTimeout,
  kLoosen,
  kDelete,
  kDeleteByReply,
  // Of expectations.
  kExpect,
  kExpectTimeout,
  kUnexpect,
};

// Changes the kernel's table in batches: one system call for up to kMaxBatch changes, which the
// kernel makes in order; one that it refuses does not stop the rest. One thread: the kernel has one
// lock for all writers, more threads only spin.
class KernelWriter {
 public:
  // 405k creates a second with 1,024, 270k with 256, and no more with 4,096.
  static constexpr size_t kMaxBatch = 1024;

  // In the network namespace of the calling thread.
  static absl::StatusOr<KernelWriter> Open();

  // By this number events name us as their cause.
  uint32_t port() const { return socket_.port(); }

  // What must be done next. `timeout`, in seconds, matters to kCreate, kUpdate and kTimeout.
  void Add(Verb verb, const Flow& flow, uint32_t timeout);
  // The same; `timeout` matters to kExpectTimeout only.
  void Add(Verb verb, const Expectation& expectation, uint32_t timeout);
  bool Full() const { return sent_.size() >= kMaxBatch; }
  bool Empty() const { return sent_.empty(); }

  struct Refusal {
    Verb verb;
    FlowKey key;  // of the flow, or of the expectation
    int error;    // errno
  };
  // Does what was added. Returns what the kernel refused; if the kernel took none of it, that is
  // everything.
  std::vector<Refusal> Flush();

  // The kernel's entry, or nothing. Only between Flush() and Add().
  absl::StatusOr<absl::optional<Flow>> Get(const FlowKey& key);

 private:
  struct Sent {
    Verb verb;
    FlowKey key;
  };

  // Where the next message goes, and its number.
  char* Next(Verb verb, const FlowKey& key, uint32_t& sequence);
  // Collects the answers to the messages first_ and on; all lie in the socket when sending has
  // returned.
  std::vector<Refusal> Answers();
  std::vector<Refusal> AllRefused(int error) const;

  NetlinkSocket socket_;
  std::vector<char> messages_;
  size_t size_ = 0;     // used of messages_
  size_t last_ = 0;     // where the last message begins
  uint32_t first_ = 1;  // sequence of the first message
  std::vector<Sent> sent_;
  std::vector<char> answer_;
};

}  // namespace zcluster::conntrack
