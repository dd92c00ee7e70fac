// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <list>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "common/unique_fd.h"
#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {

// Stands between two nodes, and passes on the bytes of their connections; unless told to be slow,
// to stop, to cut a connection at a certain byte, or to keep what was sent until it is too late.
class Proxy {
 public:
  enum Direction { kThere, kBack };  // from who connects to `target`, and its answers

  // Both are paths of sockets.
  Proxy(const std::string& own, const std::string& target) : target_(target) {
    listener_.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un at = At(own);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~Proxy() {
    {
      absl::MutexLock lock(&mutex_);
      over_ = true;
      for (Connection& connection : connections_) End(connection);
    }
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (Connection& connection : connections_) {
      for (std::thread& pump : connection.pumps) pump.join();
    }
  }

  // No more than so many bytes a millisecond, each way; 0: as they come.
  void Slow(size_t rate) {
    absl::MutexLock lock(&mutex_);
    rate_ = rate;
  }
  // Reads nothing, as a peer that hangs; or goes on.
  void Stop(bool stop) {
    absl::MutexLock lock(&mutex_);
    stopped_ = stop;
  }
  // Once so many more bytes went in `direction`, both ends lose their connection.
  void CutAfter(Direction direction, size_t bytes) {
    absl::MutexLock lock(&mutex_);
    left_[direction] = bytes;
  }
  int Cuts() const {
    absl::MutexLock lock(&mutex_);
    return cuts_;
  }

  // Keeps what comes there over the connections of now.
  void Keep() {
    absl::MutexLock lock(&mutex_);
    for (Connection& connection : connections_) connection.keeps = true;
  }
  size_t Kept() const {
    absl::MutexLock lock(&mutex_);
    size_t bytes = 0;
    for (const Connection& connection : connections_) bytes += connection.kept.size();
    return bytes;
  }
  // Who connected loses those connections; their target does not notice.
  void LoseClients() {
    absl::MutexLock lock(&mutex_);
    for (Connection& connection : connections_) {
      if (connection.keeps) ::shutdown(connection.ends[kThere].get(), SHUT_RDWR);
    }
  }
  // What was kept arrives after all, and then the end; returns when the target has read it.
  void DeliverLate() {
    std::vector<Connection*> late;
    {
      absl::MutexLock lock(&mutex_);
      for (Connection& connection : connections_) {
        if (connection.keeps) late.push_back(&connection);
      }
    }
    for (Connection* connection : late) {
      const int target = connection->ends[kBack].get();
      EXPECT_TRUE(Write(target, connection->kept));
      ::shutdown(target, SHUT_WR);
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&connection->target_closed));
    }
  }

 private:
  struct Connection {
    std::array<UniqueFd, 2> ends;  // where kThere and kBack come from
    std::array<std::thread, 2> pumps;
    bool keeps = false;
    std::string kept;
    bool target_closed = false;
  };

  static sockaddr_un At(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  static bool Write(int fd, absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(size));
    }
    return true;
  }
  static void End(const Connection& connection) {
    for (const UniqueFd& end : connection.ends) ::shutdown(end.get(), SHUT_RDWR);
  }

  void Accept() {
    for (;;) {
      UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      UniqueFd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_un at = At(target_);
      if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) continue;
      absl::MutexLock lock(&mutex_);
      if (over_) return;
      Connection& connection = connections_.emplace_back();
      connection.ends = {std::move(client), std::move(server)};
      for (const Direction direction : {kThere, kBack})
        connection.pumps[direction] =
            std::thread([this, &connection, direction] { Pump(connection, direction); });
    }
  }

  void Pump(Connection& connection, Direction direction) {
    const int from = connection.ends[direction].get();
    const int to = connection.ends[direction == kThere ? kBack : kThere].get();
    std::string bytes(16384, '\0');
    for (;;) {
      const ssize_t size = ::recv(from, bytes.data(), MayRead(bytes.size()), 0);
      if (size <= 0) break;
      absl::string_view read(bytes.data(), static_cast<size_t>(size));
      bool cut = false;
      if (!Passes(connection, direction, read, cut)) continue;
      if ((!Write(to, read) && !Keeps(connection)) || cut) break;
    }
    absl::MutexLock lock(&mutex_);
    if (direction == kBack) connection.target_closed = true;
    // One whose client is gone lives until what was kept is delivered.
    if (direction == kBack || !connection.keeps || over_) End(connection);
  }

  bool Keeps(const Connection& connection) {
    absl::MutexLock lock(&mutex_);
    return connection.keeps;
  }

  // So many bytes, once some may be read.
  size_t MayRead(size_t most) {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Proxy::Moves));
    const size_t rate = rate_;
    if (rate == 0) return most;
    const auto over = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return over_; };
    mutex_.AwaitWithTimeout(absl::Condition(&over), absl::Milliseconds(1));
    return std::min(most, rate);
  }
  bool Moves() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return over_ || !stopped_; }

  // Whether `bytes`, or what is left of them, is to be passed on.
  bool Passes(Connection& connection, Direction direction, absl::string_view& bytes, bool& cut) {
    absl::MutexLock lock(&mutex_);
    if (connection.keeps && direction == kThere) {
      connection.kept.append(bytes.data(), bytes.size());
      return false;
    }
    absl::optional<size_t>& left = left_[direction];
    if (!left) return true;
    if (bytes.size() < *left) {
      *left -= bytes.size();
      return true;
    }
    bytes = bytes.substr(0, *left);
    left.reset();
    cut = true;
    ++cuts_;
    return true;
  }

  const std::string target_;
  UniqueFd listener_;
  std::thread acceptor_;
  mutable absl::Mutex mutex_;
  std::list<Connection> connections_;  // grows only
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  size_t rate_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<absl::optional<size_t>, 2> left_ ABSL_GUARDED_BY(mutex_);
  int cuts_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace zcluster::conntrack
