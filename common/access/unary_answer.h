// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/access/client.h"

namespace zcluster::access {

// The answer to a call that waits for the loop. Ends at once when the call is cancelled: a server
// that shuts down waits for every call, and the loop may never run again.
class UnaryAnswer : public grpc::ServerUnaryReactor, public Client {
 public:
  // Lives until gRPC is done with it and the last holder is gone.
  static std::shared_ptr<UnaryAnswer> Make();

  // Answers, unless that has been done: runs `fill` (which may write the response; only if `status`
  // is OK), then ends the call. Any thread.
  void Give(const absl::Status& status, const std::function<void()>& fill)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // The same with a value for `response`, or why there is none.
  template <typename T>
  void Give(absl::StatusOr<T> value, T* response) ABSL_LOCKS_EXCLUDED(mutex_) {
    Give(value.status(), [&] { *response = *std::move(value); });
  }
  void Close(const absl::Status& status) override {
    Give(status, [] {});
  }

 private:
  UnaryAnswer() = default;
  void Cut(const absl::Status& why) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override;
  void OnDone() override;
  void End(const absl::Status& status, const std::function<void()>& fill)
      ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  bool given_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<UnaryAnswer> self_;  // gRPC's share; given back in OnDone
};

}  // namespace zcluster::access
