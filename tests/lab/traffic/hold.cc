// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/hold.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/lab/traffic/pattern.h"
#include "tests/lab/traffic/serve.h"

namespace zcluster::traffic {
namespace {

constexpr uint64_t kControl = ~uint64_t{0};
constexpr uint64_t kTick = kControl - 1;
constexpr uint64_t kTickNs = 10'000'000;
// Each connection sends at every kTurns-th tick: ten times a second, and not all at once.
constexpr uint64_t kTurns = 10;
constexpr uint64_t kMostUnanswered = 64 * 1024;
// What a half-open connection has sent before it ended its direction: comes back for a quarter of
// an hour.
constexpr uint64_t kBeforeHalfClose = 9000;

enum class State { kConnecting, kOpen, kReset, kClosed, kTimedOut, kFailed };

struct Connection {
  Connection(uint64_t number, Kind what) : kind(what), pattern(number) {}

  Kind kind;
  Fd socket;
  State state = State::kConnecting;
  Pattern pattern;
  bool opened = false;
  bool corrupt = false;
  uint64_t sent = 0;
  uint64_t verified = 0;
  uint64_t mark = 0;  // bytes sent when the mark was set

  // An echo that was already under way at the mark proves nothing about what came after it. A
  // half-open one sends no more; what it gets is sent then, not before.
  void Mark() { mark = kind == Kind::kHalfOpen ? verified : sent; }
  bool MovedSinceMark() const { return verified > mark; }
  bool HasMoreToSend() const {
    if (kind == Kind::kHalfOpen) return sent < kBeforeHalfClose;
    return kind == Kind::kBusy || sent <= mark;
  }
};

State EndedBy(int error, bool opened) {
  if (error == ECONNRESET || error == EPIPE) return State::kReset;
  if (error == ETIMEDOUT) return opened ? State::kTimedOut : State::kFailed;
  return State::kFailed;
}

class Holder {
 public:
  Holder(const HoldOptions& options, Control& control, Reporter& reporter)
      : control_(control),
        reporter_(reporter),
        ticker_(kTickNs),
        chunk_(std::max<uint64_t>(1, options.bytes_per_second * kTurns * kTickNs / 1'000'000'000)) {
    poller_.Add(control_.fd(), EPOLLIN, kControl);
    poller_.Add(ticker_.fd(), EPOLLIN, kTick);
    for (size_t i = 0; i < options.connections; ++i) {
      Connection& connection =
          connections_.emplace_back(i + 1, options.kinds[i % options.kinds.size()]);
      connection.socket = ConnectTcp(options.to);
      if (connection.socket.valid()) {
        poller_.Add(connection.socket.get(), EPOLLOUT | EPOLLIN, i);
        ++connecting_;
      } else {
        connection.state = State::kFailed;
      }
    }
  }

  int Run() {
    reporter_.Interim(Describe());
    for (;;) {
      for (const epoll_event& event : poller_.Wait()) {
        if (event.data.u64 == kTick) {
          if (ticker_.Take() > 0) SendTurn();
        } else if (event.data.u64 != kControl) {
          Advance(event);
        } else if (!Obey(control_.Take())) {
          reporter_.Final(Describe());
          return AnyCorrupt() ? 2 : 0;
        }
      }
    }
  }

 private:
  bool Obey(Control::Orders orders) {
    if (orders.mark) {
      ++marks_;
      for (Connection& connection : connections_) connection.Mark();
    }
    if (orders.report || orders.mark) reporter_.Interim(Describe());
    return !orders.stop;
  }

  void Advance(const epoll_event& event) {
    Connection& connection = connections_[event.data.u64];
    if (!connection.socket.valid()) return;
    if (connection.state == State::kConnecting) {
      if (int error = SocketError(connection.socket.get()); error != 0) {
        return End(connection, EndedBy(error, false));
      }
      if ((event.events & EPOLLOUT) == 0) return;
      connection.opened = true;
      connection.state = State::kOpen;
      poller_.Change(connection.socket.get(), EPOLLIN, event.data.u64);
      Connected();
      Greet(connection);
      Send(connection);
    }
    if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) Receive(connection);
  }

  void Greet(Connection& connection) {
    if (connection.kind != Kind::kHalfOpen) return;
    const ssize_t count =
        send(connection.socket.get(), kAnswerLater.data(), kAnswerLater.size(), MSG_NOSIGNAL);
    if (count != static_cast<ssize_t>(kAnswerLater.size())) End(connection, State::kFailed);
  }

  void SendTurn() {
    for (size_t i = turn_++ % kTurns; i < connections_.size(); i += kTurns) Send(connections_[i]);
  }

  void Send(Connection& connection) {
    if (connection.state != State::kOpen || !connection.HasMoreToSend()) return;
    std::array<uint8_t, kMostUnanswered> data;
    const bool half_open = connection.kind == Kind::kHalfOpen;
    const uint64_t room = kMostUnanswered - (connection.sent - connection.verified);
    const uint64_t wanted = half_open ? kBeforeHalfClose - connection.sent : chunk_;
    std::span<uint8_t> bytes(data.data(), std::min(wanted, room));
    if (bytes.empty()) return;
    connection.pattern.Fill(connection.sent, bytes);
    ssize_t count = send(connection.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      connection.sent += static_cast<uint64_t>(count);
      if (half_open && !connection.HasMoreToSend()) shutdown(connection.socket.get(), SHUT_WR);
    } else if (errno != EAGAIN) {
      End(connection, EndedBy(errno, true));
    }
  }

  void Receive(Connection& connection) {
    std::array<uint8_t, 16384> data;
    for (;;) {
      ssize_t count = recv(connection.socket.get(), data.data(), data.size(), 0);
      if (count < 0 && errno == EAGAIN) return;
      if (count < 0) return End(connection, EndedBy(errno, true));
      if (count == 0) return End(connection, State::kClosed);
      std::span<const uint8_t> bytes(data.data(), static_cast<size_t>(count));
      if (connection.verified + bytes.size() > connection.sent ||
          !connection.pattern.Matches(connection.verified, bytes)) {
        connection.corrupt = true;
        return End(connection, State::kFailed);
      }
      connection.verified += bytes.size();
    }
  }

  void End(Connection& connection, State state) {
    const bool was_connecting = connection.state == State::kConnecting;
    connection.state = state;
    connection.socket.Close();
    if (was_connecting) Connected();
  }

  // One connection fewer is undecided; the last one is worth a report, for whoever waits for it.
  void Connected() {
    if (--connecting_ == 0) reporter_.Interim(Describe());
  }

  bool AnyCorrupt() const {
    return std::any_of(connections_.begin(), connections_.end(),
                       [](const Connection& c) { return c.corrupt; });
  }

  uint64_t Count(auto condition) const {
    return static_cast<uint64_t>(
        std::count_if(connections_.begin(), connections_.end(), condition));
  }

  uint64_t Ended(State state) const {
    return Count([state](const Connection& c) { return c.state == state; });
  }

  Report Describe() const {
    uint64_t verified = 0;
    for (const Connection& connection : connections_) verified += connection.verified;
    auto is_open = [](const Connection& c) { return c.state == State::kOpen; };
    return Report()
        .AddText("verb", "hold")
        .Add("ready", connecting_ == 0)
        .Add("opened", Count([](const Connection& c) { return c.opened; }))
        .Add("open", Count([&](const Connection& c) { return is_open(c) && c.MovedSinceMark(); }))
        .Add("stalled",
             Count([&](const Connection& c) { return is_open(c) && !c.MovedSinceMark(); }))
        .Add("reset", Ended(State::kReset))
        .Add("closed", Ended(State::kClosed))
        .Add("timed_out", Ended(State::kTimedOut))
        .Add("failed", Ended(State::kFailed))
        .Add("moved_since_mark", Count([](const Connection& c) { return c.MovedSinceMark(); }))
        .Add("marks", marks_)
        .Add("bytes_verified", verified)
        .Add("corrupt", Count([](const Connection& c) { return c.corrupt; }));
  }

  Control& control_;
  Reporter& reporter_;
  Ticker ticker_;
  Poller poller_;
  const uint64_t chunk_;
  std::vector<Connection> connections_;
  size_t connecting_ = 0;
  uint64_t turn_ = 0;
  uint64_t marks_ = 0;
};

}  // namespace

std::vector<Kind> ParseKinds(std::string_view text) {
  std::vector<Kind> kinds;
  for (;;) {
    const size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    if (word == "busy") {
      kinds.push_back(Kind::kBusy);
    } else if (word == "idle") {
      kinds.push_back(Kind::kIdle);
    } else if (word == "half-open") {
      kinds.push_back(Kind::kHalfOpen);
    } else {
      throw std::invalid_argument("'" + std::string(word) + "' is not busy, idle or half-open");
    }
    if (comma == std::string_view::npos) return kinds;
    text.remove_prefix(comma + 1);
  }
}

int Hold(const HoldOptions& options, Control& control, Reporter& reporter) {
  return Holder(options, control, reporter).Run();
}

}  // namespace zcluster::traffic
