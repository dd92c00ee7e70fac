// SPDX-License-Identifier: Apache-2.0
#include "common/access/access.h"

#include <grpcpp/grpcpp.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "common/access/vouched.h"
#include "common/certificate.h"
#include "common/grpc_address.h"
#include "common/pki.h"
#include "common/status.h"

namespace zcluster::access {
namespace {

// What the caller's certificate says; the handshake has proved that it holds the key.
absl::StatusOr<tls::Identity> Certified(const grpc::ServerContextBase& context) {
  const auto proof = context.auth_context();
  const std::vector<grpc::string_ref> shown =
      proof == nullptr ? std::vector<grpc::string_ref>()
                       : proof->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (shown.size() != 1) {
    return absl::UnauthenticatedError(
        "the caller is not known: it shows no certificate, and is not on the local socket");
  }
  const absl::string_view certificate(shown.front().data(), shown.front().size());
  tls::Identity identity;
  ZC_ASSIGN_OR_RETURN(identity.uri, tls::UriOf(certificate));
  ZC_ASSIGN_OR_RETURN(identity.key, pki::CertificateFingerprint(certificate));
  return identity;
}

v1::AuditEntry Entry(const Caller& caller, absl::string_view method, absl::string_view asked,
                     absl::string_view result) {
  v1::AuditEntry entry;
  entry.set_who(caller.name);
  entry.set_from(caller.from);
  entry.set_what(
      absl::StrCat(absl::StripPrefix(method, "zcluster.v1."), asked.empty() ? "" : " ", asked));
  entry.set_result(std::string(result));
  return entry;
}

absl::Status Revoked(const Caller& caller) {
  return absl::PermissionDeniedError(
      absl::StrCat("the right of ", caller.name, " was revoked, or is another now"));
}

std::string Result(const absl::Status& status) {
  if (status.ok()) return "OK";
  return absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
}

}  // namespace

// A caller, and by which certificate it is known, if by one.
struct Access::Known {
  Caller caller;
  absl::optional<tls::Identity> operator_identity;
};

// Shared with calls and credentials, which may be there longer than we are.
struct Access::State {
  absl::Mutex mutex;
  Roll roll ABSL_GUARDED_BY(mutex);
  // Open calls of operators from elsewhere; those of the local socket cannot be revoked.
  std::map<const Call*, std::weak_ptr<Call>> calls ABSL_GUARDED_BY(mutex);
};

class Access::Call : public AdmittedCall {
 public:
  Call(std::shared_ptr<State> state, AuditLog& log, const Rule& rule, Known known)
      : state_(std::move(state)), log_(log), rule_(rule), known_(std::move(known)) {}

  ~Call() override {
    {
      absl::MutexLock lock(&state_->mutex);
      state_->calls.erase(this);
    }
    Conclude("cut off: whoever was to say how it ended is gone");
  }

  const Caller& caller() const override { return known_.caller; }

  void Describe(std::string what) override {
    absl::MutexLock lock(&mutex_);
    asked_ = std::move(what);
  }

  void End(const absl::Status& result) override { Conclude(Result(result)); }

  void OnRevoked(std::function<void(const absl::Status&)> cut) override {
    absl::Status why;
    {
      absl::MutexLock lock(&mutex_);
      if (revoked_.ok()) {
        cut_ = std::move(cut);
        return;
      }
      why = revoked_;
    }
    cut(why);  // it came before whoever called us could hear of it
  }

  // Whether the caller would be let in as it was.
  bool StillIn(const Roll& roll) const {
    const absl::StatusOr<Operator> now = roll.FindOperator(*known_.operator_identity);
    return now.ok() && now->right == known_.caller.right;
  }

  void Revoke() {
    std::function<void(const absl::Status&)> cut;
    absl::Status why;
    {
      absl::MutexLock lock(&mutex_);
      if (!revoked_.ok()) return;
      why = revoked_ = Revoked(known_.caller);
      cut.swap(cut_);
    }
    if (cut != nullptr) cut(why);
  }

 private:
  void Conclude(absl::string_view result) {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(ended_, true) || !rule_.audited) return;
    log_.Append(Entry(known_.caller, rule_.method, asked_, result));
  }

  const std::shared_ptr<State> state_;
  AuditLog& log_;
  const Rule& rule_;  // of the table, which lives as long as the program
  const Known known_;
  absl::Mutex mutex_;
  std::string asked_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status revoked_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const absl::Status&)> cut_ ABSL_GUARDED_BY(mutex_);
};

Access::Access(AuditLog& log) : log_(log), seal_(MakeSeal()), state_(std::make_shared<State>()) {}

Access::~Access() = default;

void Access::SetPair(std::string pair, std::string peer) {
  Change([&](Roll& roll) {
    roll.pair = std::move(pair);
    roll.peer = std::move(peer);
  });
}

void Access::SetOperators(std::vector<Operator> operators) {
  Change([&](Roll& roll) { roll.operators = std::move(operators); });
}

void Access::Change(const std::function<void(Roll&)>& change) {
  // Outlives the lock: a call that we hold last takes it when it goes, and so does one that ends
  // when it is cut.
  std::vector<std::shared_ptr<Call>> open;
  std::vector<Call*> revoked;
  {
    absl::MutexLock lock(&state_->mutex);
    change(state_->roll);
    for (const auto& [raw, weak] : state_->calls) {
      open.push_back(weak.lock());
      if (open.back() != nullptr && !open.back()->StillIn(state_->roll))
        revoked.push_back(open.back().get());
    }
  }
  for (Call* call : revoked) call->Revoke();
}

tls::Expected Access::ExpectOperators() const {
  tls::Expected expected;
  expected.accept = [state = state_](const tls::Identity& who) {
    absl::MutexLock lock(&state->mutex);
    return state->roll.FindOperator(who).status();
  };
  expected.whom = "an operator of the pair";
  expected.called = "the caller's certificate";
  return expected;
}

absl::StatusOr<Access::Known> Access::Identify(const grpc::ServerContextBase& context) const {
  if (IsInProcess(context)) {
    ZC_ASSIGN_OR_RETURN(Caller vouched, ReadVouched(context, seal_));
    return Known{std::move(vouched), {}};
  }
  const std::string peer = context.peer();
  if (absl::optional<Caller> local = local_.Find(peer)) return Known{*std::move(local), {}};
  ZC_ASSIGN_OR_RETURN(tls::Identity identity, Certified(context));
  Caller caller;
  caller.from = HostOf(peer);
  absl::MutexLock lock(&state_->mutex);
  if (state_->roll.IsPeer(identity)) {
    caller.name = absl::StrCat("node ", state_->roll.peer);
    caller.peer = true;
    return Known{std::move(caller), {}};
  }
  ZC_ASSIGN_OR_RETURN(const Operator found, state_->roll.FindOperator(identity));
  caller.name = absl::StrCat("operator ", found.name);
  caller.right = found.right;
  return Known{std::move(caller), std::move(identity)};
}

absl::StatusOr<std::shared_ptr<AdmittedCall>> Access::Admit(const grpc::ServerContextBase& context,
                                                            absl::string_view method) {
  const Rule* rule = Find(method);
  if (rule == nullptr) return absl::PermissionDeniedError(absl::StrCat("nobody may call ", method));
  absl::StatusOr<Known> known = Identify(context);
  if (!known.ok()) {
    Refuse({.name = "unknown", .from = HostOf(context.peer())}, *rule, known.status());
    return known.status();
  }
  if (const absl::Status status = Check(known->caller, *rule); !status.ok()) {
    Refuse(known->caller, *rule, status);
    return status;
  }
  const bool revocable = known->operator_identity.has_value();
  auto call = std::make_shared<Call>(state_, log_, *rule, *std::move(known));
  if (!revocable) return call;
  bool still_in = false;
  {
    absl::MutexLock lock(&state_->mutex);
    still_in = call->StillIn(state_->roll);  // it may have been revoked since we looked
    if (still_in) state_->calls.emplace(call.get(), call);
  }
  if (still_in) return call;
  const absl::Status status = Revoked(call->caller());
  call->End(status);
  return status;
}

void Access::Refuse(const Caller& caller, const Rule& rule, const absl::Status& why) {
  if (rule.audited) log_.Append(Entry(caller, rule.method, "", Result(why)));
}

}  // namespace zcluster::access
