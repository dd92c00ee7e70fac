// SPDX-License-Identifier: Apache-2.0
#include "common/scrubbing.h"

#include <grpcpp/alarm.h>
#include <malloc.h>

#include <chrono>

#include "absl/synchronization/mutex.h"

namespace zcluster {
namespace {

constexpr std::chrono::seconds kLonger(10);
// Whatever is not zero: freed memory is filled with it, new memory with its complement.
constexpr int kFill = 0x5a;

absl::Mutex mutex(absl::kConstInit);
int alive ABSL_GUARDED_BY(mutex) = 0;
int lingering ABSL_GUARDED_BY(mutex) = 0;

void StopIfLast() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  if (alive == 0 && lingering == 0) ::mallopt(M_PERTURB, 0);
}

}  // namespace

Scrubbing::Scrubbing() {
  absl::MutexLock lock(&mutex);
  if (alive++ == 0) ::mallopt(M_PERTURB, kFill);
}

Scrubbing::~Scrubbing() {
  {
    absl::MutexLock lock(&mutex);
    --alive;
    ++lingering;
  }
  auto* alarm = new grpc::Alarm;
  alarm->Set(std::chrono::system_clock::now() + kLonger, [alarm](bool) {
    delete alarm;
    absl::MutexLock lock(&mutex);
    --lingering;
    StopIfLast();
  });
}

}  // namespace zcluster
