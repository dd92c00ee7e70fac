// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/probe.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace zcluster::traffic {
namespace {

constexpr uint64_t kControl = 0, kTick = 1, kSocket = 2;
constexpr uint64_t kMagic = 0x7a6c61622d707262;  // "zlab-prb"
constexpr size_t kMostGaps = 1000;

struct Message {
  uint64_t magic;
  uint64_t number;
};

struct Gap {
  uint64_t from_ns;
  uint64_t length_ns;
};

double Milliseconds(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

class Prober {
 public:
  Prober(const ProbeOptions& options, Control& control, Reporter& reporter)
      : options_(options), control_(control), reporter_(reporter), ticker_(options.interval_ns) {
    socket_ = options.tcp
                  ? ConnectTcp(options.to)
                  : Fd(socket(options.to.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_.valid()) DieErrno("socket");
    if (!options.tcp && connect(socket_.get(), options.to.get(), options.to.size) != 0) {
      DieErrno("connect");
    }
    poller_.Add(control_.fd(), EPOLLIN, kControl);
    poller_.Add(ticker_.fd(), EPOLLIN, kTick);
    poller_.Add(socket_.get(), EPOLLIN, kSocket);
  }

  int Run() {
    reporter_.Interim(Describe());
    for (;;) {
      for (const epoll_event& event : poller_.Wait()) {
        if (event.data.u64 == kTick) {
          if (ticker_.Take() > 0) Send();
        } else if (event.data.u64 == kSocket) {
          Receive();
        } else if (!Obey(control_.Take())) {
          Receive();
          reporter_.Final(Describe());
          return wrong_ == 0 ? 0 : 2;
        }
      }
    }
  }

 private:
  bool Obey(Control::Orders orders) {
    if (orders.mark) longest_ns_ = 0;
    if (orders.report || orders.mark) reporter_.Interim(Describe());
    return !orders.stop;
  }

  void Send() {
    const uint64_t now = NowNs();
    if (!sent_at_.empty()) own_pause_ns_ = std::max(own_pause_ns_, now - sent_at_.back());
    const Message message{kMagic, sent_at_.size()};
    // A refused send (no route, a port unreachable from a node in transition) is a lost probe, no
    // more.
    ssize_t count = send(socket_.get(), &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (options_.tcp && count != sizeof message) {
      if (count < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
      if (count >= 0) Die("a probe was cut in half: the connection's buffer is full");
      tcp_ended_ = true;
      return;
    }
    sent_at_.push_back(now);
  }

  void Receive() {
    for (;;) {
      Message message{};
      // TCP is read message by message; a part stays in `partial_` until the rest is here.
      auto* into = reinterpret_cast<uint8_t*>(&message);
      size_t have = 0;
      if (options_.tcp) {
        std::memcpy(into, partial_.data(), partial_size_);
        have = partial_size_;
      }
      ssize_t count = recv(socket_.get(), into + have, sizeof message - have, MSG_DONTWAIT);
      if (count <= 0) {
        if (options_.tcp && (count == 0 || errno != EAGAIN)) tcp_ended_ = true;
        if (count < 0 && errno == EAGAIN) return;
        if (options_.tcp) {
          poller_.Change(socket_.get(), 0, kSocket);
          return;
        }
        continue;  // an ICMP error: told once, and read off by this call
      }
      have += static_cast<size_t>(count);
      if (have < sizeof message && options_.tcp) {
        std::memcpy(partial_.data(), into, have);
        partial_size_ = have;
        continue;
      }
      partial_size_ = 0;
      if (have != sizeof message || message.magic != kMagic || message.number >= sent_at_.size()) {
        ++wrong_;
      } else {
        Answered(message.number);
      }
    }
  }

  void Answered(uint64_t number) {
    const uint64_t now = NowNs();
    if (answered_ > 0 && number <= last_number_) return;  // doubled or overtaken
    if (answered_ > 0) {
      const bool lost = number > last_number_ + 1;
      if (options_.tcp) {
        Note(last_answer_ns_, now - last_answer_ns_);
      } else if (lost) {
        Note(sent_at_[last_number_], sent_at_[number] - sent_at_[last_number_]);
      }
    }
    ++answered_;
    last_number_ = number;
    last_answer_ns_ = now;
  }

  void Note(uint64_t from_ns, uint64_t length_ns) {
    if (length_ns < options_.threshold_ns) return;
    ++gaps_seen_;
    longest_ns_ = std::max(longest_ns_, length_ns);
    if (gaps_.size() < kMostGaps) gaps_.push_back({from_ns, length_ns});
  }

  Report Describe() const {
    const uint64_t now = NowNs();
    uint64_t silent = 0;
    if (!sent_at_.empty()) {
      silent = now - (answered_ > 0 ? last_answer_ns_ : sent_at_.front());
    }
    // A silence that has not ended is an outage too, unless it is only the answer under way.
    const uint64_t outage = std::max(longest_ns_, silent >= options_.threshold_ns ? silent : 0);
    std::string gaps;
    for (const Gap& gap : gaps_) {
      char text[96];
      std::snprintf(text, sizeof text, "%s{\"from_ns\": %llu, \"ms\": %.2f}",
                    gaps.empty() ? "" : ", ", static_cast<unsigned long long>(gap.from_ns),
                    Milliseconds(gap.length_ns));
      gaps += text;
    }
    return Report()
        .AddText("verb", "probe")
        .AddText("protocol", options_.tcp ? "tcp-echo" : "udp")
        .Add("sent", static_cast<uint64_t>(sent_at_.size()))
        .Add("answered", answered_)
        .Add("wrong", wrong_)
        .Add("ended", tcp_ended_)
        .Add("outage_ms", Milliseconds(outage))
        .Add("silent_ms", Milliseconds(silent))
        .Add("longest_own_pause_ms", Milliseconds(own_pause_ns_))
        .Add("gaps_seen", gaps_seen_)
        .AddJson("gaps", "[" + gaps + "]");
  }

  const ProbeOptions options_;
  Control& control_;
  Reporter& reporter_;
  Ticker ticker_;
  Poller poller_;
  Fd socket_;
  std::vector<uint64_t> sent_at_;  // by probe number; 8 bytes a millisecond
  std::array<uint8_t, sizeof(Message)> partial_{};
  size_t partial_size_ = 0;
  uint64_t answered_ = 0;
  uint64_t wrong_ = 0;
  uint64_t last_number_ = 0;
  uint64_t last_answer_ns_ = 0;
  uint64_t own_pause_ns_ = 0;
  uint64_t longest_ns_ = 0;  // since the last mark
  uint64_t gaps_seen_ = 0;
  bool tcp_ended_ = false;
  std::vector<Gap> gaps_;
};

}  // namespace

int Probe(const ProbeOptions& options, Control& control, Reporter& reporter) {
  // Ahead of the builds and agents that share the machine: else we measure the scheduler. Not
  // permitted (a container without the right): the report's own pauses then tell what the figures
  // are worth.
  sched_param priority{};
  priority.sched_priority = 10;
  sched_setscheduler(0, SCHED_FIFO, &priority);
  mlockall(MCL_CURRENT);
  return Prober(options, control, reporter).Run();
}

}  // namespace zcluster::traffic
