// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/backends.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "agent/core/facts.h"
#include "common/unique_fd.h"

namespace zcluster::facts {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A port of 127.0.0.1 that takes connections until it is told to refuse them. Nobody else gets it
// meanwhile: a socket that does not listen holds it, and one that listens stands beside.
class Server {
 public:
  Server() : held_(Bound(0)) {
    sockaddr_in address = {};
    socklen_t length = sizeof(address);
    EXPECT_EQ(::getsockname(held_.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
  }
  void Listen() {
    listening_ = Bound(port_);
    EXPECT_EQ(::listen(listening_.get(), 16), 0);
  }
  void Refuse() { listening_.Reset(); }
  std::string endpoint() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  static UniqueFd Bound(uint16_t port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  UniqueFd held_, listening_;
  uint16_t port_ = 0;
};

class BackendsTest : public testing::Test {
 protected:
  void Probe(const std::vector<std::string>& endpoints) { backends_.Probe(endpoints, stop_.get()); }

  const UniqueFd stop_{::eventfd(0, EFD_CLOEXEC)};
  Backends backends_;
};

TEST_F(BackendsTest, AreReachableAfterOneSuccess) {
  Server server;
  server.Listen();
  EXPECT_THAT(backends_.Known({server.endpoint()}, core::fact::kBackend), IsEmpty())
      << "not known yet";
  Probe({server.endpoint()});
  EXPECT_THAT(backends_.Known({server.endpoint()}, core::fact::kBackend),
              ElementsAre(core::Fact{absl::StrCat("backend ", server.endpoint()), "reachable"}));
}

TEST_F(BackendsTest, AreUnreachableAfterTwoFailuresInARow) {
  Server server;
  server.Listen();
  Probe({server.endpoint()});
  server.Refuse();
  Probe({server.endpoint()});
  EXPECT_EQ(backends_.Known({server.endpoint()}, core::fact::kBackend)[0].value, "reachable");
  Probe({server.endpoint()});
  EXPECT_EQ(backends_.Known({server.endpoint()}, core::fact::kBackend)[0].value,
            "Connection refused");
  server.Listen();
  Probe({server.endpoint()});
  EXPECT_EQ(backends_.Known({server.endpoint()}, core::fact::kBackend)[0].value, "reachable");
}

TEST_F(BackendsTest, ThatAreNoLongerAskedForAreForgotten) {
  Server server;
  server.Listen();
  Probe({server.endpoint()});
  Probe({});
  EXPECT_THAT(backends_.Known({server.endpoint()}, core::fact::kBackend), IsEmpty());
}

TEST_F(BackendsTest, ThatAreNoAddressesAreNamed) {
  for (int i = 0; i < 2; ++i) Probe({"web:80", "10.0.0.1", "[::1]:99999"});
  for (const core::Fact& fact :
       backends_.Known({"web:80", "10.0.0.1", "[::1]:99999"}, core::fact::kBackend)) {
    EXPECT_EQ(fact.value, "not an address and a port") << fact.name;
  }
}

TEST_F(BackendsTest, AreLeftAsTheyWereWhenStopped) {
  ASSERT_EQ(::eventfd_write(stop_.get(), 1), 0);
  // TEST-NET-1 is nowhere: without the stop this would take all the patience, twice.
  Probe({"192.0.2.1:9"});
  Probe({"192.0.2.1:9"});
  EXPECT_THAT(backends_.Known({"192.0.2.1:9"}, core::fact::kBackend), IsEmpty());
}

}  // namespace
}  // namespace zcluster::facts
