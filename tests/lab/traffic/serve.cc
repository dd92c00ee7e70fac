// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/serve.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iostream>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace zcluster::traffic {
namespace {

constexpr uint64_t kControl = ~uint64_t{0};
constexpr uint64_t kListener = kControl - 1;
constexpr uint64_t kDatagrams = kControl - 2;
constexpr uint64_t kTick = kControl - 3;
constexpr uint64_t kTickNs = 100'000'000;
// What a client that has ended its own direction gets at each tick, for as long as something is
// left for it.
constexpr size_t kTrickle = 1;
// What may wait for a client that does not read; beyond it we stop reading, as TCP means us to.
constexpr size_t kMostPending = 256 * 1024;

Fd Bind(int type, uint16_t port) {
  Fd fd(socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) DieErrno("socket");
  const int on = 1, off = 0;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) {
    DieErrno("bind to port " + std::to_string(port));
  }
  if (type == SOCK_STREAM && listen(fd.get(), 4096) != 0) DieErrno("listen");
  return fd;
}

bool Begins(const uint8_t* data, ssize_t size, std::string_view word) {
  return static_cast<size_t>(size) >= word.size() &&
         std::equal(word.begin(), word.end(), data,
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

struct Client {
  Fd socket;
  std::vector<uint8_t> pending;
  bool heard = false;  // something came from it
  bool answered_later = false;
  bool half_open = false;  // it sends no more
};

class EchoServer {
 public:
  EchoServer(uint16_t port, Control& control)
      : control_(control),
        listener_(Bind(SOCK_STREAM, port)),
        datagrams_(Bind(SOCK_DGRAM, port)),
        ticker_(kTickNs) {
    poller_.Add(ticker_.fd(), EPOLLIN, kTick);
    poller_.Add(control_.fd(), EPOLLIN, kControl);
    poller_.Add(listener_.get(), EPOLLIN, kListener);
    poller_.Add(datagrams_.get(), EPOLLIN, kDatagrams);
  }

  void Run() {
    for (;;) {
      for (const epoll_event& event : poller_.Wait()) {
        if (event.data.u64 == kControl) {
          if (control_.Take().stop) return;
        } else if (event.data.u64 == kListener) {
          Accept();
        } else if (event.data.u64 == kDatagrams) {
          EchoDatagrams();
        } else if (event.data.u64 == kTick) {
          if (ticker_.Take() > 0) Trickle();
        } else {
          EchoStream(static_cast<int>(event.data.u64));
        }
      }
    }
  }

 private:
  void Accept() {
    for (;;) {
      Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid()) return;
      const int on = 1, number = fd.get();
      setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      poller_.Add(number, EPOLLIN, static_cast<uint64_t>(number));
      clients_[number].socket = std::move(fd);
    }
  }

  void EchoDatagrams() {
    std::array<uint8_t, 2048> data;
    sockaddr_storage from{};
    for (;;) {
      socklen_t size = sizeof from;
      ssize_t count = recvfrom(datagrams_.get(), data.data(), data.size(), 0,
                               reinterpret_cast<sockaddr*>(&from), &size);
      if (count < 0) return;
      sendto(datagrams_.get(), data.data(), static_cast<size_t>(count), 0,
             reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  void EchoStream(int fd) {
    auto found = clients_.find(fd);
    if (found == clients_.end()) return;
    Client& client = found->second;
    if (client.half_open) {  // nothing but an error is waited for
      clients_.erase(found);
      return;
    }
    std::array<uint8_t, 16384> data;
    while (client.pending.size() < kMostPending) {
      ssize_t count = recv(fd, data.data(), data.size(), 0);
      if (count < 0 && errno == EAGAIN) break;
      if (count == 0 && client.answered_later && !client.pending.empty()) {
        client.half_open = true;
        poller_.Change(fd, 0, static_cast<uint64_t>(fd));
        return;
      }
      if (count <= 0) {
        clients_.erase(found);
        return;
      }
      uint8_t* begin = data.data();
      if (!std::exchange(client.heard, true) && Begins(begin, count, kAnswerLater)) {
        client.answered_later = true;
        begin += kAnswerLater.size();
      }
      client.pending.insert(client.pending.end(), begin, data.data() + count);
    }
    if (client.answered_later) {
      if (client.pending.size() >= kMostPending) clients_.erase(found);
      return;
    }
    size_t sent = 0;
    while (sent < client.pending.size()) {
      ssize_t count =
          send(fd, client.pending.data() + sent, client.pending.size() - sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) break;
      if (count <= 0) {
        clients_.erase(found);
        return;
      }
      sent += static_cast<size_t>(count);
    }
    client.pending.erase(client.pending.begin(),
                         client.pending.begin() + static_cast<std::ptrdiff_t>(sent));
    const uint32_t reads = client.pending.size() < kMostPending ? uint32_t{EPOLLIN} : 0;
    const uint32_t writes = client.pending.empty() ? 0 : uint32_t{EPOLLOUT};
    poller_.Change(fd, reads | writes, static_cast<uint64_t>(fd));
  }

  void Trickle() {
    for (auto at = clients_.begin(); at != clients_.end();) {
      Client& client = at->second;
      bool ended = false;
      if (client.half_open) {
        const ssize_t count = send(at->first, client.pending.data(),
                                   std::min(kTrickle, client.pending.size()), MSG_NOSIGNAL);
        if (count > 0) client.pending.erase(client.pending.begin(), client.pending.begin() + count);
        ended = client.pending.empty() || (count < 0 && errno != EAGAIN);
      }
      at = ended ? clients_.erase(at) : std::next(at);
    }
  }

  Control& control_;
  Fd listener_;
  Fd datagrams_;
  Ticker ticker_;
  Poller poller_;
  std::unordered_map<int, Client> clients_;
};

}  // namespace

int Serve(uint16_t port, const std::string& name, Control& control) {
  // The clients measure milliseconds: a busy machine must not make the backend answer late.
  setpriority(PRIO_PROCESS, 0, -15);
  EchoServer server(port, control);
  std::cout << name << " echoes at port " << port << std::endl;
  server.Run();
  return 0;
}

}  // namespace zcluster::traffic
