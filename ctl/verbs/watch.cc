// SPDX-License-Identifier: Apache-2.0
// zctl watch: the nodes now, and again at each change, until somebody has enough.
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <ostream>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/check.h"
#include "common/unique_fd.h"
#include "ctl/terminal/interrupts.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// How long until an agent that went away is looked for again.
constexpr absl::Duration kPause = absl::Milliseconds(300);

// Ends the call under way when a signal comes, or when nobody reads what we write: a thread of its
// own, because a blocked read of gRPC sees neither.
class Enough {
 public:
  explicit Enough(int out_fd)
      : interrupts_({SIGINT, SIGTERM, SIGHUP}), over_(eventfd(0, EFD_CLOEXEC)), out_fd_(out_fd) {
    ZC_CHECK(static_cast<bool>(over_));
    signal(SIGPIPE, SIG_IGN);  // `zctl watch | head` ends here, not by a signal
    thread_ = std::thread([this] { Wait(); });
  }
  ~Enough() {
    eventfd_write(over_.get(), 1);
    thread_.join();
  }
  Enough(const Enough&) = delete;
  Enough& operator=(const Enough&) = delete;

  bool Come() const { return come_.HasBeenNotified(); }
  bool ComesWithin(absl::Duration pause) const {
    return come_.WaitForNotificationWithTimeout(pause);
  }
  // The call that is to be ended; null: none.
  void Watch(grpc::ClientContext* call) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    call_ = call;
    if (call_ != nullptr && Come()) call_->TryCancel();
  }

 private:
  void Wait() {
    pollfd waits[3] = {{interrupts_.fd(), POLLIN, 0},
                       {over_.get(), POLLIN, 0},
                       {out_fd_, 0, 0}};  // only for POLLERR: the reader has gone
    while (poll(waits, 3, -1) < 0 && errno == EINTR) {
    }
    if (waits[1].revents != 0) return;
    come_.Notify();
    absl::MutexLock lock(&mutex_);
    if (call_ != nullptr) call_->TryCancel();
  }

  Interrupts interrupts_;
  const UniqueFd over_;
  const int out_fd_;
  absl::Notification come_;
  absl::Mutex mutex_;
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::thread thread_;
};

class Watching {
 public:
  explicit Watching(Context& context)
      : context_(context),
        on_terminal_(!ForPrograms(context) && isatty(context.out_fd) == 1),
        enough_(context.out_fd),
        end_(context.timeout > absl::ZeroDuration() ? absl::Now() + context.timeout
                                                    : absl::InfiniteFuture()) {}

  ExitCode Run() {
    for (;;) {
      const absl::Status status = WatchOnce();
      if (IsOver()) return ExitCode::kOk;
      const bool gone = status.ok() || absl::IsUnavailable(status);
      if (!gone || !seen_) return Fail(context_, status);
      Miss();
      if (enough_.ComesWithin(kPause)) return ExitCode::kOk;
    }
  }

 private:
  // Until the stream ends. OK: the agent has ended it.
  absl::Status WatchOnce() {
    context_.channel = nullptr;  // the other node may be the one to ask by now
    auto channel = Reach(context_);
    if (!channel.ok()) return channel.status();
    grpc::ClientContext call;
    if (end_ != absl::InfiniteFuture()) call.set_deadline(absl::ToChronoTime(end_));
    enough_.Watch(&call);
    const auto reader = v1::ClusterService::NewStub(*channel)->Watch(&call, v1::NodesRequest());
    v1::NodesResponse nodes;
    while (reader->Read(&nodes)) Show(nodes);
    const grpc::Status status = reader->Finish();
    enough_.Watch(nullptr);
    return status.ok() ? absl::OkStatus() : Outcome(context_, status, /*answered=*/seen_);
  }

  // Nobody wants more: a signal, the end of --timeout, or of whoever reads.
  bool IsOver() {
    if (context_.out.fail()) {
      context_.out.clear();  // the reader had enough: no failure
      return true;
    }
    return enough_.Come() || absl::Now() >= end_;
  }

  void Show(const v1::NodesResponse& nodes) {
    if (missed_) {
      context_.err << context_.program.name << ": the agent is back" << std::endl;
    }
    missed_ = false;
    if (ForPrograms(context_)) {
      if (context_.format == Format::kYaml && seen_) context_.out << "---\n";
      Print(context_, Json::Object({{"at", Json::Time(absl::Now())},
                                    {"nodes", NodesJson(nodes.nodes(), Ages::kHidden)}}));
    } else {
      const std::string at = Date(absl::Now());
      const std::string table = NodesTable(nodes.nodes(), Ages::kHidden).Render(context_.style);
      context_.out << (on_terminal_ ? Screen(at, table) : absl::StrCat(at, "\n", table, "\n"))
                   << std::flush;
    }
    seen_ = true;
  }

  // From the top left, each line and then the rest of the screen cleared as it is written over:
  // nothing flickers.
  std::string Screen(const std::string& at, const std::string& table) const {
    const std::string text = absl::StrCat("Since ", at, " (Ctrl-C ends)\n\n", table);
    return absl::StrCat(seen_ ? "\x1b[H" : "\x1b[H\x1b[2J",
                        absl::StrReplaceAll(text, {{"\n", "\x1b[K\n"}}), "\x1b[J");
  }

  void Miss() {
    if (missed_) return;
    missed_ = true;
    context_.err << context_.program.name << ": the agent went away; waiting for it" << std::endl;
  }

  Context& context_;
  const bool on_terminal_;
  Enough enough_;
  const absl::Time end_;
  bool seen_ = false;
  bool missed_ = false;
};

}  // namespace

ExitCode Watch(Context& context) { return Watching(context).Run(); }

}  // namespace zcluster::ctl
