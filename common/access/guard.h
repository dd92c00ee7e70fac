// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/access.h"
#include "zcluster/v1/operator.pb.h"

namespace grpc {
class ServerContextBase;
}  // namespace grpc

// How services that operators call ask whether a call may go on. Implemented by agent/access.
namespace zcluster {

// A call that was let in. Any thread.
class AdmittedCall {
 public:
  // One that was never ended is audited as cut off.
  virtual ~AdmittedCall() = default;
  virtual const access::Caller& caller() const = 0;
  // What was asked, for the audit: without secrets, at most a line. Before End().
  virtual void Describe(std::string what) = 0;
  // How it ended; the first call counts. Kept if the method is audited.
  virtual void End(const absl::Status& result) = 0;
  // `cut` is called, at most once and until this object is gone, when the caller's right has ended:
  // it shall end the call, with the status that it is given.
  virtual void OnRevoked(std::function<void(const absl::Status&)> cut) = 0;
};

class Guard {
 public:
  virtual ~Guard() = default;
  // May this caller call `method` ("zcluster.v1.ClusterService/Nodes")? UNAUTHENTICATED if the
  // caller is not known, PERMISSION_DENIED if it may not; both are audited if the method is. Any
  // thread.
  virtual absl::StatusOr<std::shared_ptr<AdmittedCall>> Admit(
      const grpc::ServerContextBase& context, absl::string_view method) = 0;
};

// What was audited.
class AuditTrail {
 public:
  using Answer = std::function<void(absl::StatusOr<v1::AuditResponse>)>;
  virtual ~AuditTrail() = default;
  // The newest entries, at most `limit` of them and no more than fit in an answer. Never blocks;
  // `answer` is called once, from a thread of its own. Any thread.
  virtual void Newest(size_t limit, Answer answer) = 0;
  // Keeps an entry of what no guard saw, such as a join. Its time is now. Never blocks; any thread.
  virtual void Append(v1::AuditEntry entry) = 0;
};

}  // namespace zcluster
