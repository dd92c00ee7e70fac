// SPDX-License-Identifier: Apache-2.0
#include "common/access/desk.h"

#include <cstdint>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace zcluster::access {
namespace {

absl::Status Stopping() { return absl::UnavailableError("the agent is stopping"); }

struct Waiting {
  std::shared_ptr<Client> client;
  std::function<void()> question;
};

}  // namespace

struct Desk::State {
  absl::Mutex mutex;
  bool closed ABSL_GUARDED_BY(mutex) = false;
  uint64_t next ABSL_GUARDED_BY(mutex) = 0;
  // At most one entry for each call under way, which gRPC bounds.
  std::map<uint64_t, Waiting> waiting ABSL_GUARDED_BY(mutex);

  std::function<void()> Take(uint64_t id) {
    absl::MutexLock lock(&mutex);
    auto found = waiting.find(id);
    if (found == waiting.end()) return nullptr;
    std::function<void()> question = std::move(found->second.question);
    waiting.erase(found);
    return question;
  }
};

Desk::Desk(Loop& loop, Guard& guard)
    : loop_(loop), guard_(guard), state_(std::make_shared<State>()) {}

Desk::~Desk() { Close(); }

void Desk::Ask(const Asked& asked, const std::shared_ptr<Client>& client,
               std::function<void()> question) {
  absl::StatusOr<std::shared_ptr<AdmittedCall>> call = guard_.Admit(asked.context, asked.method);
  if (!call.ok()) return client->Close(call.status());
  if (!asked.what.empty()) (*call)->Describe(asked.what);
  client->LetIn(*std::move(call));
  uint64_t id = 0;
  {
    absl::MutexLock lock(&state_->mutex);
    if (!state_->closed) {
      id = ++state_->next;
      state_->waiting.emplace(id, Waiting{client, std::move(question)});
    }
  }
  if (id == 0) return client->Close(Stopping());
  loop_.Post([state = state_, id] {
    if (const std::function<void()> taken = state->Take(id)) taken();
  });
}

void Desk::Close() {
  std::map<uint64_t, Waiting> waiting;
  {
    absl::MutexLock lock(&state_->mutex);
    state_->closed = true;
    waiting.swap(state_->waiting);
  }
  for (auto& [id, entry] : waiting) entry.client->Close(Stopping());
}

}  // namespace zcluster::access
