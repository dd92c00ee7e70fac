// SPDX-License-Identifier: Apache-2.0
#include "agent/store/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <thread>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "agent/store/database.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::store {

namespace {

constexpr absl::Duration kRetry = absl::Seconds(1);

absl::Status SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return ErrnoStatus(directory);
  return absl::OkStatus();
}

}  // namespace

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

absl::Status Store::Create(const std::string& path, const core::Durable& durable) {
  const std::string draft = path + ".new";
  const auto remove_draft = [&draft] {
    for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((draft + suffix).c_str());
  };
  remove_draft();  // of one that died at it
  {
    ZC_ASSIGN_OR_RETURN(Database database, Database::Open(draft));
    if (absl::Status written = database.Write(durable); !written.ok()) {
      remove_draft();
      return written;
    }
  }  // closed: the write-ahead log is in the file, and gone
  absl::Status status;
  if (::link(draft.c_str(), path.c_str()) != 0) {  // unlike rename, it replaces nothing
    status = errno == EEXIST ? absl::AlreadyExistsError(absl::StrCat(
                                   path, ": this node has a state already; unconfigure it first"))
                             : ErrnoStatus(path);
  }
  remove_draft();
  return status.ok() ? SyncDirectoryOf(path) : status;
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
