// SPDX-License-Identifier: Apache-2.0
#include "agent/api/desk.h"

#include <cstdint>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace zcluster::api {
namespace {

absl::Status Stopping() { return absl::UnavailableError("the agent is stopping"); }

}  // namespace

struct Desk::State {
  absl::Mutex mutex;
  bool closed ABSL_GUARDED_BY(mutex) = false;
  uint64_t next ABSL_GUARDED_BY(mutex) = 0;
  // At most one entry for each call under way, which gRPC bounds.
  std::map<uint64_t, Question> waiting ABSL_GUARDED_BY(mutex);

  Question Take(uint64_t id) {
    absl::MutexLock lock(&mutex);
    auto found = waiting.find(id);
    if (found == waiting.end()) return nullptr;
    Question question = std::move(found->second);
    waiting.erase(found);
    return question;
  }
};

Desk::Desk(Loop& loop) : loop_(loop), state_(std::make_shared<State>()) {}

Desk::~Desk() { Close(); }

void Desk::Ask(Question question) {
  uint64_t id = 0;
  {
    absl::MutexLock lock(&state_->mutex);
    if (!state_->closed) {
      id = ++state_->next;
      state_->waiting.emplace(id, std::move(question));
    }
  }
  if (id == 0) {
    question(Stopping());
    return;
  }
  loop_.Post([state = state_, id] {
    if (Question taken = state->Take(id)) taken(absl::OkStatus());
  });
}

void Desk::Close() {
  std::map<uint64_t, Question> waiting;
  {
    absl::MutexLock lock(&state_->mutex);
    state_->closed = true;
    waiting.swap(state_->waiting);
  }
  for (auto& [id, question] : waiting) question(Stopping());
}

}  // namespace zcluster::api
