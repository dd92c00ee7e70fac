// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/access/guard.h"
#include "common/unique_fd.h"
#include "zcluster/v1/operator.pb.h"

namespace zcluster::access {

// Who changed what, on disk: a line of JSON an entry (proto AuditEntry), mode 0600. A thread of its
// own writes and reads it, so that nobody who appends waits for the disk. An entry is on disk a
// moment after the call that it tells of has ended, not before. Any thread.
class AuditLog : public AuditTrail {
 public:
  struct Options {
    std::string path;
    // Then it becomes PATH.1, in place of an older one.
    uint64_t max_bytes = 8 << 20;
  };
  // Made if it is missing. The error names the path.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(Options options);
  // Writes what still waits.
  ~AuditLog() override;

  // Keeps an entry, and logs it. Its time is now. What is not printable ASCII is written as \xNN;
  // each text is cut at 1 KiB.
  void Append(v1::AuditEntry entry) override ABSL_LOCKS_EXCLUDED(mutex_);

  // Sees all that was appended before.
  void Newest(size_t limit, Answer answer) override ABSL_LOCKS_EXCLUDED(mutex_);

  // Entries that wait for the disk; beyond that they are lost, and the log says how many were.
  static constexpr size_t kMaxWaiting = 4096;

 private:
  struct Question {
    size_t limit;
    Answer answer;
  };
  struct Work {
    std::deque<v1::AuditEntry> entries;
    uint64_t lost = 0;
    std::vector<Question> questions;
    bool last = false;
    bool Any() const { return !entries.empty() || lost > 0 || !questions.empty() || last; }
  };

  explicit AuditLog(Options options);
  absl::Status Reopen();
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Write(const Work& work);
  absl::Status Rotate();
  absl::StatusOr<v1::AuditResponse> Read(size_t limit) const;

  const Options options_;
  absl::Mutex mutex_;
  Work work_ ABSL_GUARDED_BY(mutex_);

  // The thread's, and before it Open()'s.
  UniqueFd file_;
  uint64_t size_ = 0;
  std::string problem_;  // as logged last
  std::thread thread_;
};

}  // namespace zcluster::access
