// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/requests.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <unordered_map>
#include <vector>

#include "tests/lab/traffic/pattern.h"

namespace zcluster::traffic {
namespace {

constexpr uint64_t kControl = ~uint64_t{0};
constexpr uint64_t kTick = kControl - 1;
constexpr size_t kPayload = 64;

struct Request {
  Fd socket;
  uint64_t started_ns = 0;
  bool sent = false;
  size_t received = 0;
};

class Requester {
 public:
  Requester(const RequestsOptions& options, Control& control, Reporter& reporter)
      : options_(options),
        control_(control),
        reporter_(reporter),
        ticker_(1'000'000'000 / options.per_second) {
    poller_.Add(control_.fd(), EPOLLIN, kControl);
    poller_.Add(ticker_.fd(), EPOLLIN, kTick);
  }

  int Run() {
    reporter_.Interim(Describe());
    while (!stopping_ || !under_way_.empty()) {
      for (const epoll_event& event : poller_.Wait()) {
        if (event.data.u64 == kTick) {
          if (ticker_.Take() > 0) Tick();
        } else if (event.data.u64 == kControl) {
          Obey(control_.Take());
        } else {
          Advance(event.data.u64);
        }
      }
    }
    reporter_.Final(Describe());
    return corrupt_ == 0 ? 0 : 2;
  }

 private:
  void Obey(Control::Orders orders) {
    stopping_ = stopping_ || orders.stop;
    if (orders.report || orders.mark) reporter_.Interim(Describe());
  }

  void Tick() {
    const uint64_t now = NowNs();
    while (!by_age_.empty() && by_age_.front().first + options_.timeout_ns <= now) {
      if (under_way_.erase(by_age_.front().second) > 0) ++timed_out_;
      by_age_.pop_front();
    }
    if (!stopping_) Start(now);
  }

  void Start(uint64_t now) {
    const uint64_t number = ++started_;
    Request request;
    request.socket = ConnectTcp(options_.to);
    request.started_ns = now;
    if (!request.socket.valid()) {
      ++refused_;
      return;
    }
    poller_.Add(request.socket.get(), EPOLLOUT | EPOLLIN, number);
    under_way_.emplace(number, std::move(request));
    by_age_.emplace_back(now, number);
  }

  void Advance(uint64_t number) {
    auto found = under_way_.find(number);
    if (found == under_way_.end()) return;
    Request& request = found->second;
    const int fd = request.socket.get();
    if (int error = SocketError(fd); error != 0) return Fail(number, error);
    std::array<uint8_t, kPayload> payload;
    const Pattern pattern(number);
    if (!request.sent) {
      pattern.Fill(0, payload);
      // 64 bytes always fit into an empty send buffer: no request is sent in part.
      if (send(fd, payload.data(), payload.size(), MSG_NOSIGNAL) < 0) return Fail(number, errno);
      request.sent = true;
      poller_.Change(fd, EPOLLIN, number);
    }
    ssize_t count = recv(fd, payload.data(), payload.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return Fail(number, count == 0 ? ECONNRESET : errno);
    const std::span<const uint8_t> bytes(payload.data(), static_cast<size_t>(count));
    if (request.received + bytes.size() > kPayload || !pattern.Matches(request.received, bytes)) {
      ++corrupt_;
      under_way_.erase(found);
      return;
    }
    request.received += bytes.size();
    if (request.received == kPayload) {
      micros_.push_back(static_cast<uint32_t>((NowNs() - request.started_ns) / 1000));
      under_way_.erase(found);
    }
  }

  void Fail(uint64_t number, int error) {
    ++(error == ECONNREFUSED || error == ENETUNREACH || error == EHOSTUNREACH ? refused_ : reset_);
    under_way_.erase(number);
  }

  // Of the good requests, in milliseconds; 0 if there are none.
  double Percentile(double share) const {
    if (micros_.empty()) return 0;
    std::vector<uint32_t> sorted = micros_;
    const auto rank = static_cast<size_t>(share * static_cast<double>(sorted.size() - 1));
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank),
                     sorted.end());
    return sorted[rank] / 1e3;
  }

  Report Describe() const {
    return Report()
        .AddText("verb", "requests")
        .Add("started", started_)
        .Add("ok", static_cast<uint64_t>(micros_.size()))
        .Add("failed", refused_ + reset_ + timed_out_ + corrupt_)
        .Add("refused", refused_)
        .Add("reset", reset_)
        .Add("timed_out", timed_out_)
        .Add("corrupt", corrupt_)
        .Add("under_way", static_cast<uint64_t>(under_way_.size()))
        .Add("slowest_ms", Percentile(1))
        .Add("p50_ms", Percentile(0.5))
        .Add("p99_ms", Percentile(0.99));
  }

  const RequestsOptions options_;
  Control& control_;
  Reporter& reporter_;
  Ticker ticker_;
  Poller poller_;
  std::unordered_map<uint64_t, Request> under_way_;
  std::deque<std::pair<uint64_t, uint64_t>> by_age_;  // start, number: one timeout for all
  std::vector<uint32_t> micros_;
  uint64_t started_ = 0;
  uint64_t refused_ = 0;
  uint64_t reset_ = 0;
  uint64_t timed_out_ = 0;
  uint64_t corrupt_ = 0;
  bool stopping_ = false;
};

}  // namespace

int Requests(const RequestsOptions& options, Control& control, Reporter& reporter) {
  return Requester(options, control, reporter).Run();
}

}  // namespace zcluster::traffic
