// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/access/audit_log.h"
#include "common/access/guard.h"
#include "common/access/local_callers.h"
#include "common/access/roll.h"
#include "common/tls.h"

namespace zcluster::access {

// Knows each caller of our servers by what its transport has proved: the kernel's word for those of
// the local socket, the certificate for operators from elsewhere and for the other node, our own
// word for calls from within the process (common/access/vouched.h). Lets in
// whom the table (common/access.h) lets in, keeps the audit, and ends the calls of whoever lost its
// right. Any thread.
class Access : public Guard {
 public:
  // `log` outlives this and all admitted calls.
  explicit Access(AuditLog& log);
  ~Access() override;

  // The pair that this node is in, and the other node of it; both empty: none, which is how it
  // begins. No operator of another pair is admitted any longer.
  void SetPair(std::string pair, std::string peer);
  // Who is admitted from now on. Open calls of those who are not, or with another right or key, end
  // with PERMISSION_DENIED.
  void SetOperators(std::vector<Operator> operators);

  // For whoever vouches for callers of in-process channels. Never to be told to anybody else.
  const std::string& seal() const { return seal_; }
  // For the local listener.
  LocalCallers& local_callers() { return local_; }
  // For the credentials of the operators' port: an operator of the pair, who is admitted at the
  // moment of the handshake. May outlive this.
  tls::Expected ExpectOperators() const;

  absl::StatusOr<std::shared_ptr<AdmittedCall>> Admit(const grpc::ServerContextBase& context,
                                                      absl::string_view method) override;

 private:
  struct Known;
  struct State;
  class Call;
  absl::StatusOr<Known> Identify(const grpc::ServerContextBase& context) const;
  void Change(const std::function<void(Roll&)>& change);
  void Refuse(const Caller& caller, const Rule& rule, const absl::Status& why);

  AuditLog& log_;
  const std::string seal_;
  LocalCallers local_;
  const std::shared_ptr<State> state_;
};

}  // namespace zcluster::access
