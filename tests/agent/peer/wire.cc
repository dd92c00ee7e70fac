// SPDX-License-Identifier: Apache-2.0
#include "tests/agent/peer/wire.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <vector>

#include "common/check.h"

namespace zcluster::peer {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// False when the connection is over.
bool Pass(int from, int to) {
  char buffer[4096];
  const ssize_t size = ::recv(from, buffer, sizeof(buffer), MSG_DONTWAIT);
  return size > 0 && ::send(to, buffer, static_cast<size_t>(size), MSG_NOSIGNAL) == size;
}

}  // namespace

Wire::Wire(int to_port)
    : to_port_(to_port), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ZC_CHECK(::bind(listener_.get(), any, size) == 0 && ::listen(listener_.get(), 16) == 0);
  ZC_CHECK(::getsockname(listener_.get(), any, &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Carry(); });
}

Wire::~Wire() {
  stop_ = true;
  thread_.join();
}

void Wire::Carry() {
  constexpr int kPollMs = 10;
  while (!stop_) {
    std::vector<pollfd> ready;
    if (cut_) {
      // The kernel still accepts; nothing answers.
      dead_.splice(dead_.end(), connections_);
      ::poll(nullptr, 0, kPollMs);
      continue;
    }
    ready.push_back({listener_.get(), POLLIN, 0});
    for (const auto& [near, far] : connections_) {
      ready.push_back({near.get(), POLLIN, 0});
      ready.push_back({far.get(), POLLIN, 0});
    }
    ::poll(ready.data(), ready.size(), kPollMs);
    size_t at = 1;
    for (auto next = connections_.begin(); next != connections_.end(); at += 2) {
      const auto current = next++;
      const bool over =
          (ready[at].revents != 0 && !Pass(current->first.get(), current->second.get())) ||
          (ready[at + 1].revents != 0 && !Pass(current->second.get(), current->first.get()));
      if (over) connections_.erase(current);
    }
    if (ready[0].revents != 0) Accept();
  }
}

void Wire::Accept() {
  UniqueFd near(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  UniqueFd far(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = Loopback(to_port_);
  if (::connect(far.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) return;
  connections_.emplace_back(std::move(near), std::move(far));
}

}  // namespace zcluster::peer
