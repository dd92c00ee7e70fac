// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace zcluster::traffic {

// CLOCK_MONOTONIC, in nanoseconds: one clock for every process of the machine, whatever its
// namespace.
uint64_t NowNs();

// Prints "zlab-traffic: message" and ends the process with 1. For trouble that leaves nothing to
// measure.
[[noreturn]] void Die(std::string_view message);

// The same, with errno's words behind the message.
[[noreturn]] void DieErrno(std::string_view message);

// Where to talk to.
struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  int family() const { return address.ss_family; }
};

// Reads "10.0.0.1:80" or "[fd00::1]:80". Throws std::invalid_argument naming what is wrong.
Endpoint ParseEndpoint(std::string_view text);

// Reads a number with its unit, "100us", "1ms", "3s". Throws std::invalid_argument naming what is
// wrong.
uint64_t ParseNanoseconds(std::string_view text);

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

// A non-blocking TCP socket on its way to `to`, without Nagle's delay.
Fd ConnectTcp(const Endpoint& to);

// Whether a connection that ConnectTcp() began stands: 0, or the errno it failed with.
int SocketError(int fd);

// epoll, with a number of the caller's choice beside each descriptor.
class Poller {
 public:
  Poller();
  void Add(int fd, uint32_t events, uint64_t tag);
  void Change(int fd, uint32_t events, uint64_t tag);
  // Waits until something happens. The events live until the next call.
  std::span<const epoll_event> Wait();

 private:
  Fd epoll_;
  std::array<epoll_event, 256> events_;
};

// A clock tick that a Poller can wait for.
class Ticker {
 public:
  explicit Ticker(uint64_t interval_ns);
  int fd() const { return timer_.get(); }
  // How many ticks came due since the last call.
  uint64_t Take();

 private:
  Fd timer_;
};

}  // namespace zcluster::traffic
