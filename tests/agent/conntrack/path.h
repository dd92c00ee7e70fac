// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/unique_fd.h"
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {

// A client, two balancers and a server with two backends' addresses, on two networks, in
// namespaces: what real packets make of replicated entries. Whoever takes over refuses everything
// new, so that only what was replicated goes on.
//
//   client 10.8.0.7, fd08::7 --- a, b (VIP 10.8.0.100, fd08::100) --- server 10.9.0.11 and .12,
//   fd09::11 and ::12
class Path {
 public:
  explicit Path(Options options = {}) : pair(options) {
    hub_.Shell(
        "ip link add front type bridge && ip link set front up && "
        "ip link add back type bridge && ip link set back up");
    Join(client, "front", "7");
    Join(server, "back", "11");
    server.Shell(
        "ip addr add 10.9.0.12/24 dev back && ip addr add fd09::12/64 dev back nodad && "
        "ip route add default via 10.9.0.254 && ip -6 route add default via fd09::254");
    MakeNode(pair.a.netns(), "1");
    MakeNode(pair.b.netns(), "2");
    Give(pair.a.netns());
  }

  // The addresses move, and the new one takes nothing new any more.
  void MoveTo(Node& node) {
    const Netns& from = &node == &pair.a ? pair.b.netns() : pair.a.netns();
    from.Shell(
        "ip addr del 10.8.0.100/24 dev front; ip addr del 10.9.0.254/24 dev back; "
        "ip addr del fd08::100/64 dev front; ip addr del fd09::254/64 dev back");
    for (const char* family : {"ip", "ip6"})
      node.netns().Shell(absl::StrCat("nft add rule ", family, " t filt ct state new drop"));
    Give(node.netns());
    for (const Netns* end : {&client, &server})
      end->Shell("ip -4 neigh flush all && ip -6 neigh flush all");
  }

  // A rule in chain `chain` (raw, filt) of both nodes.
  void Rule(const std::string& family, const std::string& chain, const std::string& rule) {
    for (Node* node : {&pair.a, &pair.b})
      node->netns().Shell(absl::StrCat("nft add rule ", family, " t ", chain, " ", rule));
  }

  Pair pair;
  const Netns client, server;

 private:
  void Join(const Netns& netns, const std::string& bridge, const std::string& host) {
    const std::string port = absl::StrCat(bridge, host);
    hub_.Shell(absl::StrCat("ip link add ", port, " type veth peer name ", bridge, " netns ",
                            netns.Path(), " && ip link set ", port, " master ", bridge, " up"));
    const std::string net = bridge == "front" ? "8" : "9";
    netns.Shell(absl::StrCat("ip link set lo up && ip addr add 10.", net, ".0.", host, "/24 dev ",
                             bridge, " && ip addr add fd0", net, "::", host, "/64 dev ", bridge,
                             " nodad && ip link set ", bridge, " up"));
  }

  void MakeNode(const Netns& netns, const std::string& host) {
    Join(netns, "front", host);
    Join(netns, "back", host);
    netns.Shell(
        "cd /proc/sys/net && echo 1 > ipv4/ip_forward && echo 1 > ipv6/conf/all/forwarding && "
        "echo 0 > ipv4/conf/all/rp_filter && echo 0 > netfilter/nf_conntrack_tcp_loose && "
        "echo 0 > netfilter/nf_conntrack_checksum");  // the tests' SCTP has none
    Rules(netns, "ip", "10.8.0.100", "10.9.0.11", "10.9.0.12", "10.9.0.254");
    Rules(netns, "ip6", "fd08::100", "fd09::11", "fd09::12", "fd09::254");
  }

  static void Rules(const Netns& netns, const std::string& family, const std::string& vip,
                    const std::string& one, const std::string& other, const std::string& own) {
    netns.Shell(
        absl::StrCat("nft 'table ", family, " t { ct helper ftp { type \"ftp\" protocol tcp; }; ",
                     "chain raw { type filter hook prerouting priority -300; }; ",
                     "chain help { type filter hook prerouting priority -150; tcp dport 21 ct "
                     "helper set \"ftp\"; }; ",
                     "chain pre { type nat hook prerouting priority -100; ", family, " daddr ", vip,
                     " dnat to numgen inc mod 2 map { 0 : ", one, ", 1 : ", other, " }; }; ",
                     "chain post { type nat hook postrouting priority 100; oifname back ", family,
                     " saddr != ", own, " meta l4proto { tcp, udp } snat to ", own, "; }; ",
                     "chain filt { type filter hook forward priority 0; ct state invalid drop; }; ",
                     "chain in { type filter hook input priority 0; ct state invalid drop; }; }'"));
  }

  static void Give(const Netns& netns) {
    netns.Shell(
        "ip addr add 10.8.0.100/24 dev front && ip addr add 10.9.0.254/24 dev back && "
        "ip addr add fd08::100/64 dev front nodad && ip addr add fd09::254/64 dev back nodad");
  }

  const Netns hub_;
};

struct End {
  sockaddr_storage address{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

inline End At(const std::string& text, uint16_t port) {
  End end;
  if (text.find(':') == std::string::npos) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&end.address);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &v4->sin_addr), 1) << text;
    end.size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&end.address);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr), 1) << text;
    end.size = sizeof *v6;
  }
  return end;
}

// A socket that lives in `netns`, bound to `own` if that names an address.
inline UniqueFd Socket(const Netns& netns, int type, int protocol, const End& own) {
  UniqueFd fd;
  netns.Run([&] {
    fd.Reset(::socket(own.address.ss_family, type | SOCK_CLOEXEC, protocol));
    ASSERT_TRUE(fd) << "socket " << protocol;
    const int yes = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (type != SOCK_RAW || own.address.ss_family != AF_INET6) {
      ASSERT_EQ(::bind(fd.get(), own.get(), own.size), 0) << "bind";
    } else {  // a raw socket has no port
      End plain = own;
      reinterpret_cast<sockaddr_in6*>(&plain.address)->sin6_port = 0;
      ASSERT_EQ(::bind(fd.get(), plain.get(), plain.size), 0) << "bind";
    }
  });
  return fd;
}

inline bool Readable(int fd, int milliseconds) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, milliseconds) == 1;
}

// What comes next, or nothing.
inline std::string Receive(int fd, int milliseconds, End* from = nullptr) {
  if (!Readable(fd, milliseconds)) return "";
  std::string bytes(65536, '\0');
  End source;
  source.size = sizeof source.address;
  const ssize_t size = ::recvfrom(fd, bytes.data(), bytes.size(), 0,
                                  reinterpret_cast<sockaddr*>(&source.address), &source.size);
  if (size <= 0) return "";
  bytes.resize(static_cast<size_t>(size));
  if (from != nullptr) *from = source;
  return bytes;
}

// Answers what comes to the two backends' addresses, on a thread of its own, until it goes.
// `answer` gets the packet (of raw IPv4 sockets: with its header) and which backend it is.
class Backends {
 public:
  using Answer = std::function<std::string(const std::string& packet, const std::string& backend)>;
  Backends(const Netns& server, bool v6, int type, int protocol, uint16_t port, Answer answer)
      : answer_(std::move(answer)) {
    for (const char* host : {"11", "12"}) {
      sockets_.push_back(
          Socket(server, type, protocol, At(absl::StrCat(v6 ? "fd09::" : "10.9.0.", host), port)));
      names_.push_back(host);
    }
    thread_ = std::thread([this] {
      while (!stop_) {
        pollfd watched[] = {{sockets_[0].get(), POLLIN, 0}, {sockets_[1].get(), POLLIN, 0}};
        ::poll(watched, 2, 50);
        for (size_t i = 0; i < 2; ++i) {
          if ((watched[i].revents & POLLIN) != 0) Take(i);
        }
      }
    });
  }
  ~Backends() {
    stop_ = true;
    thread_.join();
  }

 private:
  void Take(size_t i) {
    End from;
    const std::string packet = Receive(sockets_[i].get(), 0, &from);
    const std::string reply = answer_(packet, names_[i]);
    if (reply.empty()) return;
    ::sendto(sockets_[i].get(), reply.data(), reply.size(), 0, from.get(), from.size);
  }

  const Answer answer_;
  std::vector<UniqueFd> sockets_;
  std::vector<std::string> names_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace zcluster::conntrack
