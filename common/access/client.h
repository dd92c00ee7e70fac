// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "common/access/guard.h"

namespace zcluster::access {

// Whoever called us, for as long as the call is open; what answers are given to. Held by
// shared_ptr.
class Client : public std::enable_shared_from_this<Client> {
 public:
  virtual ~Client() = default;

  // The guard let the call in. Before the call can be answered; once.
  void LetIn(std::shared_ptr<AdmittedCall> call);

  // Who called; once it was let in. Any thread.
  const access::Caller& caller() const { return call_->caller(); }

  // Ends the call, if it is still open. Any thread. The first one is also how the audit says that
  // it ended: a caller that left does not change what became of what it asked for.
  virtual void Close(const absl::Status& status) = 0;

 protected:
  // Ends the call at once, because its right has ended. What it asked for goes on. Any thread.
  virtual void Cut(const absl::Status& why) = 0;
  void Audit(const absl::Status& result) {
    if (call_ != nullptr) call_->End(result);
  }

 private:
  std::shared_ptr<AdmittedCall> call_;  // set before anybody else knows us
};

}  // namespace zcluster::access
