// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>

namespace zcluster::traffic {
namespace {

uint16_t ParsePort(std::string_view text) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    throw std::invalid_argument("port '" + std::string(text) + "' is not a number from 1 to 65535");
  }
  return port;
}

}  // namespace

uint64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

void Die(std::string_view message) {
  std::cerr << "zlab-traffic: " << message << std::endl;
  std::exit(1);
}

void DieErrno(std::string_view message) { Die(std::string(message) + ": " + std::strerror(errno)); }

Endpoint ParseEndpoint(std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    throw std::invalid_argument("'" + std::string(text) +
                                "' has no port; write 10.0.0.1:80 or [fd00::1]:80");
  }
  const uint16_t port = ParsePort(text.substr(colon + 1));
  std::string host(text.substr(0, colon));
  Endpoint endpoint;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    auto* six = reinterpret_cast<sockaddr_in6*>(&endpoint.address);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    endpoint.size = sizeof *six;
    if (inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1) return endpoint;
  } else {
    auto* four = reinterpret_cast<sockaddr_in*>(&endpoint.address);
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    endpoint.size = sizeof *four;
    if (inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1) return endpoint;
  }
  throw std::invalid_argument("'" + host + "' is not an address; names are not looked up");
}

uint64_t ParseNanoseconds(std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  const double scale = unit == "us" ? 1e3 : unit == "ms" ? 1e6 : unit == "s" ? 1e9 : 0;
  if (error != std::errc() || scale == 0 || number <= 0) {
    throw std::invalid_argument("'" + std::string(text) + "' is not a time such as 100us, 1ms, 3s");
  }
  return static_cast<uint64_t>(number * scale);
}

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

Fd ConnectTcp(const Endpoint& to) {
  Fd socket_fd(socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_fd.valid()) DieErrno("socket");
  const int on = 1;
  setsockopt(socket_fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(socket_fd.get(), to.get(), to.size) != 0 && errno != EINPROGRESS) {
    socket_fd.Close();
  }
  return socket_fd;
}

int SocketError(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) DieErrno("epoll_create1");
}

void Poller::Add(int fd, uint32_t events, uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) DieErrno("epoll_ctl add");
}

void Poller::Change(int fd, uint32_t events, uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) DieErrno("epoll_ctl change");
}

std::span<const epoll_event> Poller::Wait() {
  for (;;) {
    int count = epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), -1);
    if (count >= 0) return {events_.data(), static_cast<size_t>(count)};
    if (errno != EINTR) DieErrno("epoll_wait");
  }
}

Ticker::Ticker(uint64_t interval_ns)
    : timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  itimerspec when{};
  when.it_interval.tv_sec = static_cast<time_t>(interval_ns / 1'000'000'000);
  when.it_interval.tv_nsec =
      static_cast<decltype(when.it_interval.tv_nsec)>(interval_ns % 1'000'000'000);
  when.it_value = when.it_interval;
  if (!timer_.valid() || timerfd_settime(timer_.get(), 0, &when, nullptr) != 0) {
    DieErrno("timerfd");
  }
}

uint64_t Ticker::Take() {
  uint64_t ticks = 0;
  return read(timer_.get(), &ticks, sizeof ticks) == sizeof ticks ? ticks : 0;
}

}  // namespace zcluster::traffic
