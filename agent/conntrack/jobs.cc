// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/jobs.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace zcluster::conntrack {

void Halt::Set() {
  absl::MutexLock lock(&mutex_);
  if (std::exchange(set_, true)) return;
  for (const Waiting* waiting : waiting_) waiting->end_();
}

bool Halt::IsSet() const {
  absl::MutexLock lock(&mutex_);
  return set_;
}

Halt::Waiting::Waiting(Halt& halt, std::function<void()> end) : halt_(halt), end_(std::move(end)) {
  absl::MutexLock lock(&halt_.mutex_);
  halt_.waiting_.push_back(this);
  if (halt_.set_) end_();
}

Halt::Waiting::~Waiting() {
  absl::MutexLock lock(&halt_.mutex_);
  halt_.waiting_.remove(this);
}

bool Jobs::Start(std::function<void(Halt&)> work) {
  Reap();
  if (stopped_ || jobs_.size() >= most_) return false;
  Job* job = jobs_.emplace_back(std::make_unique<Job>()).get();
  job->thread = std::thread([job, work = std::move(work)]() mutable {
    ::pthread_setname_np(::pthread_self(), "ct-look");
    // Of this thread alone, on Linux.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
    work(job->halt);
    work = nullptr;
    job->done = true;
  });
  return true;
}

void Jobs::Reap() {
  jobs_.remove_if([](const std::unique_ptr<Job>& job) {
    if (!job->done) return false;
    job->thread.join();
    return true;
  });
}

void Jobs::Stop() {
  stopped_ = true;
  for (const std::unique_ptr<Job>& job : jobs_) job->halt.Set();
  for (const std::unique_ptr<Job>& job : jobs_) job->thread.join();
  jobs_.clear();
}

}  // namespace zcluster::conntrack
