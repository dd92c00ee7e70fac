// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/access/guard.h"

namespace zcluster::test {

// A guard that lets everybody in, unless told otherwise, and remembers what became of the calls:
// for tests of what stands behind it.
class OpenGuard : public Guard {
 public:
  absl::StatusOr<std::shared_ptr<AdmittedCall>> Admit(const grpc::ServerContextBase&,
                                                      absl::string_view method) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!refusal_.ok()) return refusal_;
    return std::shared_ptr<AdmittedCall>(std::make_shared<Call>(*this, std::string(method)));
  }

  // Refuses all from now on.
  void Refuse(absl::Status why) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    refusal_ = std::move(why);
  }

  // Cuts the open calls, as if their callers' right had ended.
  void Revoke(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::map<const void*, std::function<void(const absl::Status&)>> cuts;
    {
      absl::MutexLock lock(&mutex_);
      cuts.swap(cuts_);
    }
    for (auto& [call, cut] : cuts) cut(why);
  }

  // Waits for the `n`th call (from 1) that ended: "METHOD WHAT: RESULT".
  std::string WaitForEnd(size_t n) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    auto come = [this, n]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_.size() >= n; };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&come), absl::Seconds(20)))
      return absl::StrCat("only ", ended_.size(), " calls ended");
    return ended_[n - 1];
  }

 private:
  class Call : public AdmittedCall {
   public:
    Call(OpenGuard& guard, std::string method) : guard_(guard), method_(std::move(method)) {}
    ~Call() override {
      {
        absl::MutexLock lock(&guard_.mutex_);
        guard_.cuts_.erase(this);
      }
      Conclude("cut off");
    }
    const access::Caller& caller() const override { return caller_; }
    void Describe(std::string what) override { what_ = std::move(what); }
    void End(const absl::Status& result) override { Conclude(result.ToString()); }
    void OnRevoked(std::function<void(const absl::Status&)> cut) override {
      absl::MutexLock lock(&guard_.mutex_);
      guard_.cuts_[this] = std::move(cut);
    }

   private:
    void Conclude(const std::string& result) {
      absl::MutexLock lock(&guard_.mutex_);
      if (std::exchange(ended_, true)) return;
      guard_.ended_.push_back(absl::StrCat(method_, what_.empty() ? "" : " ", what_, ": ", result));
    }

    OpenGuard& guard_;
    const std::string method_;
    const access::Caller caller_{.name = "root", .right = access::Right::kAdmin};
    std::string what_;
    bool ended_ = false;
  };

  absl::Mutex mutex_;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  std::map<const void*, std::function<void(const absl::Status&)>> cuts_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zcluster::test
