// SPDX-License-Identifier: Apache-2.0
#include "common/access/unary_answer.h"

#include "common/access/grpc_status.h"

namespace zcluster::access {

std::shared_ptr<UnaryAnswer> UnaryAnswer::Make() {
  std::shared_ptr<UnaryAnswer> answer(new UnaryAnswer);
  answer->self_ = answer;
  return answer;
}

void UnaryAnswer::Give(const absl::Status& status, const std::function<void()>& fill) {
  Audit(status);
  End(status, fill);
}

void UnaryAnswer::End(const absl::Status& status, const std::function<void()>& fill) {
  absl::MutexLock lock(&mutex_);
  if (given_) return;
  given_ = true;
  if (status.ok()) fill();
  Finish(ToGrpc(status));
}

void UnaryAnswer::Cut(const absl::Status& why) { End(why, nullptr); }

void UnaryAnswer::OnCancel() {
  End(absl::CancelledError("the client is gone, or the agent is stopping"), nullptr);
}

void UnaryAnswer::OnDone() { self_.reset(); }

}  // namespace zcluster::access
