// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/conntrack/table.h"

namespace zcluster::conntrack {

// What became of a comparison of the master's table with the backup's.
struct Compared {
  // One flow in both; empty: it is not there.
  struct Difference {
    std::optional<Flow> master;
    std::optional<Flow> standby;
  };
  Counts master;
  Counts standby;
  uint32_t buckets = 0;     // whose sums were not the same
  uint64_t in_motion = 0;   // not the same at first, but equal later, or another at each look
  uint64_t differing = 0;   // lastingly
  uint64_t unexamined = 0;  // beyond kMaxSuspects
  std::vector<Difference> differences;  // of those that differ, at most so many as were wanted

  bool Equal() const { return differing == 0 && unexamined == 0; }
};

// Compares two tables that go on changing. First by sums; then flow by flow, where these differ;
// and what differs there is looked at again, until it is equal, or proves to differ: nothing of it
// changed between two looks, although the backup had acknowledged all that the master had sent by
// the time of the first. Holds 56 bytes for each flow of either table in a bucket that differs, and
// the same for each flow that does: some 160 MiB at a million flows of which all are in motion. One
// thread, its caller's; the two tables are read at the same time, the backup's on a thread of its
// own.
class Comparison {
 public:
  // More flows that differ are only counted.
  static constexpr size_t kMaxSuspects = 1 << 20;
  // A flow that is another at each of so many looks is traffic.
  static constexpr int kMaxLooks = 4;

  struct Options {
    size_t shown = 20;  // differences kept at most
    // Returns once the backup has acknowledged all that had changed on the master when it was
    // called.
    std::function<absl::Status()> settle;
    // Told of each step, such as "comparing 3,201 flows one by one".
    std::function<void(std::string)> progress;
    // Of a table, in buckets that differ: more are refused.
    size_t most_flows = 4 << 20;
  };
  Comparison(Table& master, Table& standby, Options options)
      : master_(master), standby_(standby), options_(std::move(options)) {}

  // RESOURCE_EXHAUSTED: a table tells more flows than may be compared one by one.
  absl::StatusOr<Compared> Run();

 private:
  // A flow that was not the same in both, as it was when it was looked at last.
  struct Suspect {
    FlowKey key;
    uint64_t master = 0;  // of its forms; 0: not looked at yet
    uint64_t standby = 0;
  };

  absl::Status Sum(BucketSet& buckets);
  absl::Status FindSuspects(const BucketSet& buckets);
  absl::Status LookAgain();
  // Of these suspects, those that must be looked at once more are appended to `left`.
  absl::Status LookAt(absl::Span<const Suspect> suspects, std::vector<Suspect>& left);
  void Add(const FlowKey& key);
  void Say(std::string step) const;

  Table& master_;
  Table& standby_;
  const Options options_;
  Imprint imprint_;
  uint64_t flows_ = 0;  // of the larger table, in the buckets that differ
  std::vector<Suspect> suspects_;
  Compared compared_;
};

}  // namespace zcluster::conntrack
