// SPDX-License-Identifier: Apache-2.0
#include "agent/events/events.h"

#include <deque>
#include <thread>
#include <utility>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "agent/events/bounded_event.h"
#include "agent/events/file.h"
#include "agent/events/ring.h"
#include "agent/events/waiting.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::events {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(1);
// One commit has at most so many, so that questions are not kept waiting.
constexpr size_t kMaxCommit = 1000;
// Reads that wait for the thread: who reads asks once at a time.
constexpr size_t kMaxQuestions = 64;

struct Question {
  uint64_t after;
  size_t limit;
  EventJournal::Answer answer;
};

v1::Event Dropped(uint64_t count) {
  return BoundedEvent({"events_dropped", {{"count", absl::StrCat(count)}}, true}, absl::Now());
}

}  // namespace

struct Journal::State {
  State(Loop& of, Options given) : loop(of), options(std::move(given)) {}

  void Add(const core::LogDecision& decision) ABSL_LOCKS_EXCLUDED(mutex);
  void Run() ABSL_LOCKS_EXCLUDED(mutex);
  // Waits until there is something to do, and takes the questions. False: it is time to stop.
  bool Await(std::deque<Question>& asked) ABSL_LOCKS_EXCLUDED(mutex);
  void Answer(const Question& question);
  absl::Status Open();
  // The file is damaged: what it held is lost to us, and another goes on.
  absl::Status Replace(const absl::Status& why);
  // Writes some of what waits; `more` says whether more does.
  absl::Status Write(bool& more) ABSL_LOCKS_EXCLUDED(mutex);
  void Note(const absl::Status& status);
  // Runs `task` on the loop, unless it was stopped by then.
  void Tell(std::function<void()> task);
  void TellSpan();

  // -- the loop's

  Loop& loop;
  const Options options;
  const std::shared_ptr<bool> alive = std::make_shared<bool>(false);  // between Start and Stop
  std::string id;
  Span span;
  std::string problem;
  std::function<void()> grown;
  std::thread thread;

  // -- both

  absl::Mutex mutex;
  Waiting waiting ABSL_GUARDED_BY(mutex);
  std::deque<Question> questions ABSL_GUARDED_BY(mutex);
  bool stopping ABSL_GUARDED_BY(mutex) = false;

  // -- the thread's, and the loop's before it runs

  std::unique_ptr<Kept> kept;  // null: it cannot be opened
  std::string kept_id;         // of the first that was opened, and so of those that replace it
  uint64_t kept_last = 0;      // number of the newest event ever
  std::string failure;         // of the last try; empty: it was good
  absl::Time retry_at = absl::InfinitePast();
};

void Journal::State::Add(const core::LogDecision& decision) {
  v1::Event event = BoundedEvent(decision, absl::Now());
  absl::MutexLock lock(&mutex);
  waiting.Add(std::move(event));
}

void Journal::State::Run() {
  std::deque<Question> asked;
  for (bool goes_on = true; goes_on;) {
    goes_on = Await(asked);
    for (const Question& question : asked) Answer(question);
    asked.clear();
    if (goes_on && Loop::Now() < retry_at) continue;
    absl::Status status;
    bool more = false;
    do {
      status = Write(more);
    } while (!goes_on && more && status.ok());  // the last words
    Note(status);
  }
}

bool Journal::State::Await(std::deque<Question>& asked) {
  absl::MutexLock lock(&mutex);
  const bool failing = !failure.empty();
  const auto ready = [&, this]() ABSL_SHARED_LOCKS_REQUIRED(mutex) {
    return stopping || !questions.empty() || (!failing && !waiting.empty());
  };
  mutex.AwaitWithTimeout(absl::Condition(&ready),
                         failing ? retry_at - Loop::Now() : absl::InfiniteDuration());
  asked.swap(questions);
  return !stopping;
}

void Journal::State::Answer(const Question& question) {
  absl::StatusOr<v1::EventBatch> batch =
      kept == nullptr ? absl::UnavailableError(absl::StrCat("events cannot be read: ", failure))
                      : kept->Read(question.after, question.limit);
  if (absl::IsDataLoss(batch.status())) Note(Replace(batch.status()));
  Tell([answer = question.answer, batch = std::move(batch)] { answer(batch); });
}

absl::Status Journal::State::Open() {
  absl::StatusOr<std::unique_ptr<File>> file = File::Open(options.path, kept_id, kept_last);
  ZC_RETURN_IF_ERROR(file.status());
  kept_id = (*file)->id();
  kept_last = (*file)->newest();
  kept = *std::move(file);
  return absl::OkStatus();
}

absl::Status Journal::State::Replace(const absl::Status& why) {
  kept.reset();
  const absl::StatusOr<std::string> name = SetAside(options.path);
  if (!name.ok()) {
    return absl::UnavailableError(absl::StrCat(why.message(), "; it cannot be set aside either (",
                                               name.status().message(), ")"));
  }
  log::Warning("events_file_set_aside",
               {{"error", std::string(why.message())}, {"renamed_to", *name}});
  ZC_RETURN_IF_ERROR(Open());
  TellSpan();
  return absl::OkStatus();
}

absl::Status Journal::State::Write(bool& more) {
  if (kept == nullptr) {
    absl::Status opened = Open();
    if (absl::IsDataLoss(opened)) opened = Replace(opened);
    ZC_RETURN_IF_ERROR(opened);
    TellSpan();
  }
  std::vector<v1::Event> events;
  uint64_t dropped = 0;
  {
    absl::MutexLock lock(&mutex);
    events = waiting.Take(kMaxCommit);
    dropped = waiting.dropped();
  }
  if (dropped > 0) events.insert(events.begin(), Dropped(dropped));  // where those would have been
  const absl::Status status = kept->Append(events);
  if (status.ok() && !events.empty()) {
    kept_last = kept->span().last;
    TellSpan();
  }
  {
    absl::MutexLock lock(&mutex);
    if (status.ok()) {
      waiting.Forgive(dropped);
    } else {
      if (dropped > 0) events.erase(events.begin());
      waiting.PutBack(std::move(events));
    }
    more = !waiting.empty();
  }
  if (absl::IsDataLoss(status)) ZC_RETURN_IF_ERROR(Replace(status));
  return status;  // also if it was replaced: what damages files shall not do so without a pause
}

void Journal::State::Note(const absl::Status& status) {
  retry_at = status.ok() ? absl::InfinitePast() : Loop::Now() + kRetry;
  if (status.message() == failure) return;
  failure = std::string(status.message());
  if (status.ok()) {
    log::Info("events_kept_again");
  } else {
    log::Warning("events_not_kept", {{"problem", failure}});
  }
  Tell([this, now = failure] { problem = now; });
}

void Journal::State::Tell(std::function<void()> task) {
  loop.Post([alive_too = alive, task = std::move(task)] {
    if (*alive_too) task();
  });
}

void Journal::State::TellSpan() {
  Tell([this, name = kept_id, now = kept->span()] {
    const bool has_grown = now.last > span.last;
    id = name;
    span = now;
    if (has_grown && grown) grown();
  });
}

Journal::Journal(Loop& loop, Options options)
    : state_(std::make_unique<State>(loop, std::move(options))) {}

Journal::~Journal() { Stop(); }

absl::Status Journal::Start(EventSink&) {
  State& s = *state_;
  *s.alive = true;
  absl::Status opened = s.Open();
  if (absl::IsDataLoss(opened)) opened = s.Replace(opened);
  if (absl::IsFailedPrecondition(opened)) {
    // A newer program's file, or another's, is not for us to touch. What else cannot be written so
    // needs an operator too, and then a start of the agent.
    s.problem = absl::StrCat(opened.message(), "; until then events are kept in memory only");
    log::Warning("events_not_kept", {{"problem", s.problem}});
    s.kept = std::make_unique<Ring>();
    s.kept_id = s.kept->id();
  } else {
    s.Note(opened);  // what is full or fails today is tried again
  }
  if (s.kept != nullptr) {
    s.id = s.kept->id();
    s.span = s.kept->span();
  }
  s.Add({"agent_started", {{"version", s.options.version}}, false});
  s.thread = std::thread([&s] { s.Run(); });
  return absl::OkStatus();
}

void Journal::Perform(const core::Action& action) {
  if (const auto* decision = std::get_if<core::LogDecision>(&action)) state_->Add(*decision);
}

void Journal::Stop() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
  }
  *state_->alive = false;
  if (state_->thread.joinable()) state_->thread.join();
}

const std::string& Journal::id() const { return state_->id; }
uint64_t Journal::first() const { return state_->span.first; }
uint64_t Journal::last() const { return state_->span.last; }
const std::string& Journal::problem() const { return state_->problem; }
void Journal::OnGrown(std::function<void()> grown) { state_->grown = std::move(grown); }

void Journal::Read(uint64_t after, size_t limit, Answer answer) {
  absl::MutexLock lock(&state_->mutex);
  if (state_->questions.size() < kMaxQuestions) {
    state_->questions.push_back({after, limit, std::move(answer)});
    return;
  }
  state_->Tell([answer = std::move(answer)] {
    answer(absl::UnavailableError("too many read the events of this node; try again"));
  });
}

}  // namespace zcluster::events
