// SPDX-License-Identifier: Apache-2.0
// TCP connections in the states that real sockets can be brought into, through a failover and
// another one back: open with large windows, half-closed either way, closing.
#include <fcntl.h>
#include <netinet/tcp.h>

#include "tests/agent/conntrack/path.h"

namespace zcluster::conntrack {
namespace {

constexpr int kAnswer = 5000;   // ms; an answer comes at once
constexpr int kNoAnswer = 300;  // ms
constexpr size_t kMuch = 4 << 20;

class TcpKinds : public testing::TestWithParam<bool> {
 protected:
  TcpKinds() {
    for (const char* host : {"11", "12"}) {
      listeners_.push_back(Socket(path_.server, SOCK_STREAM, 0,
                                  At(absl::StrCat(v6() ? "fd09::" : "10.9.0.", host), 80)));
      const int much = static_cast<int>(kMuch);
      ::setsockopt(listeners_.back().get(), SOL_SOCKET, SO_RCVBUFFORCE, &much, sizeof much);
      EXPECT_EQ(::listen(listeners_.back().get(), 5), 0);
    }
  }
  bool v6() const { return GetParam(); }

  void Open() {
    client_ = Socket(path_.client, SOCK_STREAM, 0, At(v6() ? "fd08::7" : "10.8.0.7", 0));
    const int much = static_cast<int>(kMuch);
    ::setsockopt(client_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &much, sizeof much);
    const End vip = At(v6() ? "fd08::100" : "10.8.0.100", 80);
    ASSERT_EQ(::connect(client_.get(), vip.get(), vip.size), 0);
    pollfd watched[] = {{listeners_[0].get(), POLLIN, 0}, {listeners_[1].get(), POLLIN, 0}};
    ASSERT_GT(::poll(watched, 2, kAnswer), 0);
    server_.Reset(::accept4(listeners_[watched[0].revents != 0 ? 0 : 1].get(), nullptr, nullptr,
                            SOCK_CLOEXEC));
    ASSERT_TRUE(server_);
  }

  // Much goes one way, and comes whole.
  static void Pour(int from, int to) {
    std::string sent(kMuch, '\0');
    for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 >> 7);
    std::thread sender([&] {
      for (size_t done = 0; done < sent.size();) {
        const ssize_t count = ::send(from, sent.data() + done, sent.size() - done, MSG_NOSIGNAL);
        if (count <= 0) return;
        done += static_cast<size_t>(count);
      }
    });
    std::string come;
    while (come.size() < sent.size()) {
      const std::string part = Receive(to, kAnswer);
      if (part.empty()) break;
      come += part;
    }
    if (come.size() < sent.size()) ::shutdown(from, SHUT_RDWR);
    sender.join();
    EXPECT_EQ(come.size(), sent.size());
    EXPECT_TRUE(come == sent);
  }
  static bool Passes(int from, int to, int patience = kAnswer) {
    EXPECT_EQ(::send(from, "hello", 5, MSG_NOSIGNAL), 5);
    return Receive(to, patience) == "hello";
  }
  // The other end has closed its direction, and nothing else.
  static bool Ended(int fd) {
    char c = 0;
    return Readable(fd, kAnswer) && ::recv(fd, &c, 1, MSG_DONTWAIT) == 0;
  }
  std::string States(const Netns& netns) {
    std::string states;
    for (const auto& [text, flow] : Dump(netns)) absl::StrAppend(&states, flow.tcp.state, " ");
    return states;
  }
  void AwaitEqual() { path_.pair.ExpectEqual(1); }

  Path path_;
  std::vector<UniqueFd> listeners_;
  UniqueFd client_, server_;
};

TEST_P(TcpKinds, LargeWindowsStayLargeAndBytesComeWhole) {
  path_.pair.Appoint(path_.pair.a, 1);
  Open();
  Pour(server_.get(), client_.get());
  AwaitEqual();
  path_.MoveTo(path_.pair.b);
  Pour(server_.get(), client_.get());
  Pour(client_.get(), server_.get());
  path_.pair.Appoint(path_.pair.b, 2);
  AwaitEqual();
  path_.MoveTo(path_.pair.a);
  Pour(client_.get(), server_.get());
  Pour(server_.get(), client_.get());
}

TEST_P(TcpKinds, HalfClosedByTheClientTheServerSpeaksOnAndClosesAfterTheFailovers) {
  path_.pair.Appoint(path_.pair.a, 1);
  Open();
  ASSERT_TRUE(Passes(client_.get(), server_.get()));
  ::shutdown(client_.get(), SHUT_WR);
  ASSERT_TRUE(Ended(server_.get()));
  AwaitEqual();
  path_.MoveTo(path_.pair.b);
  EXPECT_TRUE(Passes(server_.get(), client_.get()));
  path_.pair.Appoint(path_.pair.b, 2);
  AwaitEqual();
  path_.MoveTo(path_.pair.a);
  EXPECT_TRUE(Passes(server_.get(), client_.get()));
  ::shutdown(server_.get(), SHUT_WR);
  EXPECT_TRUE(Ended(client_.get()));
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return States(path_.pair.a.netns()) == absl::StrCat(int{TCP_CONNTRACK_TIME_WAIT}, " ");
  })) << States(path_.pair.a.netns());
}

TEST_P(TcpKinds, HalfClosedByTheServerTheClientSpeaksOn) {
  path_.pair.Appoint(path_.pair.a, 1);
  Open();
  ::shutdown(server_.get(), SHUT_WR);
  ASSERT_TRUE(Ended(client_.get()));
  AwaitEqual();
  path_.MoveTo(path_.pair.b);
  EXPECT_TRUE(Passes(client_.get(), server_.get()));
  ::shutdown(client_.get(), SHUT_WR);
  EXPECT_TRUE(Ended(server_.get()));
}

TEST_P(TcpKinds, AConnectionThatIsOnlyBegunIsCompletedAfterTheFailover) {
  path_.pair.Appoint(path_.pair.a, 1);
  // The server's answer is lost, so the entry stays at SYN_SENT or SYN_RECV.
  path_.pair.a.netns().Shell(
      absl::StrCat("nft add rule ", v6() ? "ip6" : "ip", " t filt iifname back tcp sport 80 drop"));
  client_ =
      Socket(path_.client, SOCK_STREAM | SOCK_NONBLOCK, 0, At(v6() ? "fd08::7" : "10.8.0.7", 0));
  const End vip = At(v6() ? "fd08::100" : "10.8.0.100", 80);
  ::connect(client_.get(), vip.get(), vip.size);
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return States(path_.pair.b.netns()) == absl::StrCat(int{TCP_CONNTRACK_SYN_RECV}, " ");
  })) << States(path_.pair.b.netns());
  path_.MoveTo(path_.pair.b);
  pollfd watched{client_.get(), POLLOUT, 0};
  int error = -1;
  socklen_t size = sizeof error;
  EXPECT_EQ(::poll(&watched, 1, 2 * kAnswer), 1) << "not completed by what is sent again";
  ::getsockopt(client_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  EXPECT_EQ(error, 0);
}

TEST_P(TcpKinds, AreLostWithoutReplication) {
  Open();
  ASSERT_TRUE(Passes(client_.get(), server_.get()));
  path_.MoveTo(path_.pair.b);
  EXPECT_FALSE(Passes(client_.get(), server_.get(), kNoAnswer));
}

INSTANTIATE_TEST_SUITE_P(Kinds, TcpKinds, testing::Bool(),
                         [](const auto& at) { return at.param ? "Ipv6" : "Ipv4"; });

}  // namespace
}  // namespace zcluster::conntrack
