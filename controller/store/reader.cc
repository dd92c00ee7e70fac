// SPDX-License-Identifier: Apache-2.0
#include "controller/store/reader.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {
namespace {

// A search takes milliseconds, some 200 ms when it must look at a million events: whoever is behind
// so many would wait for seconds, and better asks again.
constexpr size_t kMostWaiting = 64;

}  // namespace

Reader::Reader(Loop& loop, Search search)
    : loop_(loop), search_(std::move(search)), thread_([this] { Run(); }) {}

Reader::~Reader() {
  *alive_ = false;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  search_.Stop();
  thread_.join();
}

void Reader::Read(Store::Query query, Answer answer) {
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_.size() < kMostWaiting) {
      waiting_.push_back({std::move(query), std::move(answer)});
      return;
    }
  }
  Tell(std::move(answer),
       absl::ResourceExhaustedError(absl::StrCat(
           kMostWaiting, " searches of the history wait already; try again in a moment")));
}

void Reader::Tell(Answer answer, absl::StatusOr<std::vector<v1::FleetEvent>> events) {
  // std::function copies what it holds: once, by reference.
  auto told = std::make_shared<absl::StatusOr<std::vector<v1::FleetEvent>>>(std::move(events));
  loop_.Post([alive = alive_, answer = std::move(answer), told = std::move(told)] {
    if (*alive) answer(std::move(*told));
  });
}

void Reader::Run() {
  while (true) {
    Question question;
    {
      absl::MutexLock lock(&mutex_);
      const auto due = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return !waiting_.empty() || stopping_;
      };
      mutex_.Await(absl::Condition(&due));
      if (stopping_) return;
      question = std::move(waiting_.front());
      waiting_.pop_front();
    }
    absl::StatusOr<std::vector<v1::FleetEvent>> events = search_.Find(question.query);
    Tell(std::move(question.answer), std::move(events));
  }
}

}  // namespace zcluster::controller
