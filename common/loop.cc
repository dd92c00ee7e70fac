// SPDX-License-Identifier: Apache-2.0
#include "common/loop.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/check.h"

namespace zcluster {
namespace {

namespace asio = boost::asio;

std::chrono::steady_clock::duration Steady(absl::Duration duration) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      absl::ToChronoNanoseconds(duration));
}

// A registration's work outlives the handle by the callbacks that Asio still holds: they find
// `cancelled` and do nothing.
struct Timer : std::enable_shared_from_this<Timer> {
  Timer(asio::io_context& context, absl::Duration every, std::function<void()> run)
      : timer(context), period(every), task(std::move(run)) {}

  void Arm(absl::Duration delay) {
    timer.expires_after(Steady(delay));
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->cancelled) return;
      if (self->period > absl::ZeroDuration()) self->Arm(self->period);
      self->task();
    });
  }

  asio::steady_timer timer;
  absl::Duration period;
  std::function<void()> task;
  bool cancelled = false;
};

struct Watch : std::enable_shared_from_this<Watch> {
  Watch(asio::io_context& context, int fd, std::function<void()> run)
      : descriptor(context, fd), task(std::move(run)) {}

  void Arm() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            if (error || self->cancelled) return;
                            self->task();
                            if (!self->cancelled) self->Arm();
                          });
  }

  asio::posix::stream_descriptor descriptor;
  std::function<void()> task;
  bool cancelled = false;
};

struct Signals : std::enable_shared_from_this<Signals> {
  Signals(asio::io_context& context, std::function<void(int)> run)
      : set(context), task(std::move(run)) {}

  void Arm() {
    set.async_wait([self = shared_from_this()](const boost::system::error_code& error, int signal) {
      if (error || self->cancelled) return;
      self->Arm();
      self->task(signal);
    });
  }

  asio::signal_set set;
  std::function<void(int)> task;
  bool cancelled = false;
};

class TimerHandle : public Loop::Handle {
 public:
  explicit TimerHandle(std::shared_ptr<Timer> timer) : timer_(std::move(timer)) {}
  ~TimerHandle() override {
    timer_->cancelled = true;
    timer_->timer.cancel();
  }

 private:
  std::shared_ptr<Timer> timer_;
};

class WatchHandle : public Loop::Handle {
 public:
  explicit WatchHandle(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  ~WatchHandle() override {
    watch_->cancelled = true;
    watch_->descriptor.release();  // the descriptor is the caller's: not closed here
  }

 private:
  std::shared_ptr<Watch> watch_;
};

class SignalHandle : public Loop::Handle {
 public:
  explicit SignalHandle(std::shared_ptr<Signals> signals) : signals_(std::move(signals)) {}
  ~SignalHandle() override {
    signals_->cancelled = true;
    signals_->set.cancel();
  }

 private:
  std::shared_ptr<Signals> signals_;
};

// What posters hold.
struct Door {
  absl::Mutex mutex;
  asio::io_context* context ABSL_GUARDED_BY(mutex);  // null when the loop is gone
};

}  // namespace

struct Loop::State {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::atomic<std::thread::id> thread{};
  std::shared_ptr<Door> door;
};

Loop::Loop() : state_(std::make_unique<State>()) {
  state_->door = std::make_shared<Door>();
  absl::MutexLock lock(&state_->door->mutex);
  state_->door->context = &state_->context;
}

Loop::~Loop() {
  absl::MutexLock lock(&state_->door->mutex);
  state_->door->context = nullptr;
}

absl::Time Loop::Now() {
  // The steady clock's zero is arbitrary, so it may as well be the epoch's.
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

void Loop::Post(std::function<void()> task) { asio::post(state_->context, std::move(task)); }

Loop::Poster Loop::MakePoster() {
  return [door = state_->door](std::function<void()> task) {
    absl::MutexLock lock(&door->mutex);
    if (door->context == nullptr) return false;
    asio::post(*door->context, std::move(task));
    return true;
  };
}

Loop::Registration Loop::After(absl::Duration delay, std::function<void()> task) {
  auto timer = std::make_shared<Timer>(state_->context, absl::ZeroDuration(), std::move(task));
  timer->Arm(delay);
  return std::make_unique<TimerHandle>(std::move(timer));
}

Loop::Registration Loop::Every(absl::Duration period, std::function<void()> task) {
  ZC_CHECK(period > absl::ZeroDuration());
  auto timer = std::make_shared<Timer>(state_->context, period, std::move(task));
  timer->Arm(period);
  return std::make_unique<TimerHandle>(std::move(timer));
}

Loop::Registration Loop::WatchReadable(int fd, std::function<void()> ready) {
  auto watch = std::make_shared<Watch>(state_->context, fd, std::move(ready));
  watch->Arm();
  return std::make_unique<WatchHandle>(std::move(watch));
}

Loop::Registration Loop::OnSignals(std::initializer_list<int> signals,
                                   std::function<void(int)> task) {
  auto registered = std::make_shared<Signals>(state_->context, std::move(task));
  for (int signal : signals) registered->set.add(signal);
  registered->Arm();
  return std::make_unique<SignalHandle>(std::move(registered));
}

void Loop::Run() {
  state_->thread = std::this_thread::get_id();
  state_->context.run();
  state_->thread = std::thread::id();
  state_->context.restart();
}

void Loop::Quit() { state_->context.stop(); }

bool Loop::OnLoopThread() const { return state_->thread.load() == std::this_thread::get_id(); }

}  // namespace zcluster
