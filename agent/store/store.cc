// SPDX-License-Identifier: Apache-2.0
#include "agent/store/store.h"

#include <thread>
#include <utility>
#include <variant>

#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "agent/store/database.h"
#include "common/status.h"

namespace zcluster::store {

constexpr absl::Duration kRetry = absl::Seconds(1);

struct Store::State {
  explicit State(Database opened, core::Durable read)
      : database(std::move(opened)), durable(read) {}

  void Run(EventSink& events);

  Database database;  // the thread's, once it runs
  core::Durable durable;
  std::thread thread;

  absl::Mutex mutex;
  absl::optional<core::Durable> wanted
      ABSL_GUARDED_BY(mutex);            // the newest: it stands for all before it
  int asked ABSL_GUARDED_BY(mutex) = 0;  // Persisted events owed
  bool stopping ABSL_GUARDED_BY(mutex) = false;
};

void Store::State::Run(EventSink& events) {
  bool failing = false;
  while (true) {
    core::Durable next;
    int owed = 0;
    {
      absl::MutexLock lock(&mutex);
      const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex) {
        return wanted.has_value() || stopping;
      };
      mutex.Await(absl::Condition(&ready));
      if (!wanted) return;
      next = *wanted;
      owed = asked;
    }
    const absl::Status status = database.Write(next);
    absl::MutexLock lock(&mutex);
    if (!status.ok()) {
      if (stopping) return;
      failing = true;
      events.Report(core::ComponentReported{"store", std::string(status.message())});
      mutex.AwaitWithTimeout(absl::Condition(&stopping), kRetry);
      continue;
    }
    if (std::exchange(failing, false)) events.Report(core::ComponentReported{"store", ""});
    asked -= owed;
    if (asked == 0) wanted.reset();
    for (; owed > 0; --owed) events.Report(core::Persisted{});
  }
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Store::~Store() { Stop(); }

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::string& path) {
  ZC_ASSIGN_OR_RETURN(Database database, Database::Open(path));
  ZC_ASSIGN_OR_RETURN(const core::Durable durable, database.Read());
  return std::unique_ptr<Store>(new Store(std::make_unique<State>(std::move(database), durable)));
}

const core::Durable& Store::durable() const { return state_->durable; }

absl::Status Store::Start(EventSink& events) {
  state_->thread = std::thread([this, &events] { state_->Run(events); });
  return absl::OkStatus();
}

void Store::Perform(const core::Action& action) {
  const auto* persist = std::get_if<core::Persist>(&action);
  if (persist == nullptr) return;
  absl::MutexLock lock(&state_->mutex);
  state_->wanted = persist->durable;
  ++state_->asked;
}

void Store::Stop() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
  }
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace zcluster::store
