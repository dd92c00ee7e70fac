// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/pairing.h"

#include <memory>

#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "agent/conntrack/jobs.h"
#include "agent/conntrack/mailbox.h"

namespace zcluster::conntrack {
namespace {

// The first word counts.
class Answer {
 public:
  void Give(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!status_) status_ = status;
  }
  absl::Status Wait() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto given = [this]()
                           ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return status_.has_value(); };
    mutex_.Await(absl::Condition(&given));
    return *status_;
  }

 private:
  absl::Mutex mutex_;
  absl::optional<absl::Status> status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status Await(Mailbox& mail, Halt& halt, const std::function<void(Pairing::Done)>& ask) {
  const auto answer = std::make_shared<Answer>();
  const Halt::Waiting waiting(
      halt, [answer] { answer->Give(absl::CancelledError("the agent of this node stops")); });
  mail.Post([ask, answer] { ask([answer](const absl::Status& status) { answer->Give(status); }); });
  return answer->Wait();
}

}  // namespace zcluster::conntrack
