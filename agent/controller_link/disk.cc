// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/disk.h"

#include <utility>

namespace zcluster::controller_link {

Disk::Disk(std::shared_ptr<Inlet> inlet) : inlet_(std::move(inlet)), thread_([this] { Run(); }) {}

Disk::~Disk() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  thread_.join();
}

void Disk::Do(std::function<Then()> work) {
  absl::MutexLock lock(&mutex_);
  waiting_.push_back(std::move(work));
}

void Disk::Run() {
  for (;;) {
    std::function<Then()> work;
    {
      absl::MutexLock lock(&mutex_);
      auto any = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return stopping_ || !waiting_.empty();
      };
      mutex_.Await(absl::Condition(&any));
      if (stopping_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    inlet_->Post(work());
  }
}

}  // namespace zcluster::controller_link
