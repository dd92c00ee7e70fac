// SPDX-License-Identifier: Apache-2.0
// Active FTP through NAT and the kernel's helper: what was announced before a failover opens after
// it, and the control connection, whose sequence numbers the helper has moved, goes on.
#include <fcntl.h>

#include "agent/conntrack/expectation_message.h"
#include "tests/agent/conntrack/path.h"

namespace zcluster::conntrack {
namespace {

constexpr int kAnswer = 5000;   // ms; an answer comes at once
constexpr int kNoAnswer = 300;  // ms

void SendAll(int fd, const std::string& text) {
  EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

// A line of the other side, without its end; or what there is of it.
std::string Line(int fd, int patience = kAnswer) {
  std::string line;
  char c = 0;
  while (Readable(fd, patience) && ::recv(fd, &c, 1, 0) == 1) {
    if (c == '\n') break;
    if (c != '\r') line += c;
  }
  return line;
}

UniqueFd Accept(int listener, int patience) {
  if (!Readable(listener, patience)) return {};
  return UniqueFd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
}

// A connection from `own`, or nothing if it does not come about in time.
UniqueFd Connect(const Netns& netns, const End& own, const End& to, int patience) {
  UniqueFd fd = Socket(netns, SOCK_STREAM | SOCK_NONBLOCK, 0, own);
  ::connect(fd.get(), to.get(), to.size);
  pollfd watched{fd.get(), POLLOUT, 0};
  int error = 0;
  socklen_t size = sizeof error;
  if (::poll(&watched, 1, patience) != 1) return {};
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return {};
  ::fcntl(fd.get(), F_SETFL, 0);
  return fd;
}

class Ftp : public testing::TestWithParam<bool> {
 protected:
  Ftp() {
    for (const char* host : {"11", "12"}) {
      servers_.push_back(Socket(path_.server, SOCK_STREAM, 0, At(Backend(host), 21)));
      EXPECT_EQ(::listen(servers_.back().get(), 5), 0);
    }
  }

  bool v6() const { return GetParam(); }
  std::string Backend(const std::string& host) const {
    return absl::StrCat(v6() ? "fd09::" : "10.9.0.", host);
  }
  End Own(uint16_t port) const { return At(v6() ? "fd08::7" : "10.8.0.7", port); }

  // The control connection, both ends.
  void Open() {
    client_ = Connect(path_.client, Own(0), At(v6() ? "fd08::100" : "10.8.0.100", 21), kAnswer);
    ASSERT_TRUE(client_);
    pollfd watched[] = {{servers_[0].get(), POLLIN, 0}, {servers_[1].get(), POLLIN, 0}};
    ASSERT_GT(::poll(watched, 2, kAnswer), 0);
    const size_t at = watched[0].revents != 0 ? 0 : 1;
    backend_ = Backend(at == 0 ? "11" : "12");
    server_ = Accept(servers_[at].get(), kAnswer);
    ASSERT_TRUE(server_);
    Ask("USER anna", "331 password, please");
  }

  // A command and its answer must come as they were said.
  void Ask(const std::string& command, const std::string& answer) {
    SendAll(client_.get(), command + "\r\n");
    EXPECT_EQ(Line(server_.get()), command);
    SendAll(server_.get(), answer + "\r\n");
    EXPECT_EQ(Line(client_.get()), answer);
  }

  // The client listens on `port` and says so; the address that the server reads of is where it is
  // to connect.
  End Announce(uint16_t port) {
    listener_ = Socket(path_.client, SOCK_STREAM, 0, Own(port));
    EXPECT_EQ(::listen(listener_.get(), 5), 0);
    SendAll(client_.get(),
            v6() ? absl::StrCat("EPRT |2|fd08::7|", port, "|\r\n")
                 : absl::StrCat("PORT 10,8,0,7,", port >> 8, ",", port & 0xff, "\r\n"));
    const std::string line = Line(server_.get());
    SendAll(server_.get(), "200 well\r\n");
    EXPECT_EQ(Line(client_.get()), "200 well");
    if (v6()) {
      const size_t begin = line.find("|2|") + 3, end = line.find('|', begin);
      EXPECT_EQ(Ip(line.substr(begin, end - begin)), Ip("fd09::254")) << line;
      return At(line.substr(begin, end - begin),
                static_cast<uint16_t>(std::stoi(line.substr(end + 1))));
    }
    int a = 0, b = 0, c = 0, d = 0, high = 0, low = 0;
    EXPECT_EQ(std::sscanf(line.c_str(), "PORT %d,%d,%d,%d,%d,%d", &a, &b, &c, &d, &high, &low), 6)
        << line;
    const std::string address = absl::StrCat(a, ".", b, ".", c, ".", d);
    EXPECT_EQ(address, "10.9.0.254") << "the helper did not rewrite it";
    return At(address, static_cast<uint16_t>(high << 8 | low));
  }

  // The server connects there, and both say something. False if it does not come about.
  bool Transfer(const End& to, int patience = kAnswer) {
    data_server_ = Connect(path_.server, At(backend_, 20), to, patience);
    if (!data_server_) return false;
    data_client_ = Accept(listener_.get(), patience);
    if (!data_client_) return false;
    return Say("the file");
  }
  bool Say(const std::string& what) {
    SendAll(data_server_.get(), what + "\n");
    SendAll(data_client_.get(), "heard\n");
    return Line(data_client_.get()) == what && Line(data_server_.get()) == "heard";
  }

  // Until `node`'s kernel is as its peer's, moved sequence numbers and expectations among it.
  void AwaitEqual(size_t expectations) {
    std::vector<std::string> a, b;
    EXPECT_TRUE(WaitUntil(Pair::kPatience,
                          [&] {
                            a = Texts(path_.pair.a.netns());
                            b = Texts(path_.pair.b.netns());
                            return a == b && Expected(path_.pair.a.netns()) == expectations &&
                                   Expected(path_.pair.b.netns()) == expectations;
                          }))
        << testing::PrintToString(a) << testing::PrintToString(b);
  }
  static size_t Expected(const Netns& netns) {
    size_t count = 0;
    netns.Run([&] { count = ListExpectations()->size(); });
    return count;
  }

  Path path_;
  std::vector<UniqueFd> servers_;
  std::string backend_;
  UniqueFd client_, server_, listener_, data_client_, data_server_;
};

TEST_P(Ftp, WhatWasAnnouncedOpensAfterTheFailoverAndTheControlConnectionGoesOn) {
  path_.pair.Appoint(path_.pair.a, 1);
  Open();
  const End first = Announce(5001);
  EXPECT_TRUE(Transfer(first));
  const End second = Announce(5002);
  AwaitEqual(1);

  path_.MoveTo(path_.pair.b);
  EXPECT_TRUE(Say("more of the first file"));
  EXPECT_TRUE(Transfer(second)) << "announced before the failover";
  Ask("NOOP", "200 still here");
  path_.pair.Appoint(path_.pair.b, 2);
  const End third = Announce(5003);
  Ask("NOOP", "200 and now");
  AwaitEqual(1);

  path_.MoveTo(path_.pair.a);
  EXPECT_TRUE(Say("more of the second file"));
  EXPECT_TRUE(Transfer(third)) << "announced before the failover back";
  Ask("STAT", "211 it is well");
  EXPECT_TRUE(Transfer(Announce(5004))) << "the helper works on";
  Ask("QUIT", "221 bye");
}

TEST_P(Ftp, IsLostWithoutReplication) {
  Open();
  const End announced = Announce(5001);
  path_.MoveTo(path_.pair.b);
  EXPECT_FALSE(Transfer(announced, kNoAnswer));
  SendAll(client_.get(), "NOOP\r\n");
  EXPECT_EQ(Line(server_.get(), kNoAnswer), "");
}

TEST_P(Ftp, WhatIsNotUsedEndsOnTheBackupWithItsMaster) {
  path_.pair.Appoint(path_.pair.a, 1);
  Open();
  Announce(5001);
  AwaitEqual(1);
  path_.pair.a.netns().Shell(
      "conntrack -D -p tcp --dport 21 > /dev/null 2>&1 || "
      "conntrack -D -f ipv6 -p tcp --dport 21 > /dev/null 2>&1");
  AwaitEqual(0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Ftp, testing::Bool(),
                         [](const auto& at) { return at.param ? "Ipv6" : "Ipv4"; });

}  // namespace
}  // namespace zcluster::conntrack
