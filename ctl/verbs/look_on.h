// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/unique_fd.h"
#include "ctl/terminal/interrupts.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

// Ends the call under way when a signal comes, or when nobody reads what we write: a thread of its
// own, because a blocked read of gRPC sees neither.
class Enough {
 public:
  // `out_fd` is where we write; -1: nothing that the system knows.
  explicit Enough(int out_fd);
  ~Enough();
  Enough(const Enough&) = delete;
  Enough& operator=(const Enough&) = delete;

  bool Come() const { return come_.HasBeenNotified(); }
  bool ComesWithin(absl::Duration pause) const {
    return come_.WaitForNotificationWithTimeout(pause);
  }
  // The call that is to be ended; null: none.
  void Watch(grpc::ClientContext* call) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Wait();

  Interrupts interrupts_;
  const UniqueFd over_;
  const int out_fd_;
  absl::Notification come_;
  absl::Mutex mutex_;
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::thread thread_;
};

// Looks on while something is told, until somebody has enough: a signal, --timeout, or whoever
// reads. Waits for an agent (or a controller) that goes away, and says so on standard error. For
// the main thread.
class LookingOn {
 public:
  explicit LookingOn(Context& context);

  // Opens a stream and reads it to its end, with Heard() for each message. OK: the other side ended
  // it.
  using Once = absl::FunctionRef<grpc::Status(const Channel& channel, grpc::ClientContext* call)>;
  // Again and again. OK once somebody has enough. Fails at what will not pass by itself, and where
  // nobody answers at the first try.
  ExitCode Run(Once once);

  // To be called for each message before it is shown.
  void Heard();
  // Somebody has enough.
  bool Over() const;
  // The same, after at most so long.
  bool OverWithin(absl::Duration pause) const { return enough_.ComesWithin(pause) || Over(); }

 private:
  absl::Status Try(Once once);
  bool IsOver();
  void Miss(const absl::Status& status);

  Context& context_;
  Enough enough_;
  const absl::Time end_;
  bool reached_ = false;
  bool missed_ = false;
};

// Whether a person sees the output at once and in place: on a terminal, without -o.
bool OnTerminal(const Context& context);

// The text of a whole screen, over what was there before; `first`: nothing of ours was. Each line,
// and then the rest of the screen, is cleared as it is written over: nothing flickers. A line that
// is too long is cut.
std::string Frame(const std::string& text, bool first);

}  // namespace zcluster::ctl
