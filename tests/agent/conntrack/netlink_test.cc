// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/netlink.h"

#include <sys/socket.h>

#include "agent/conntrack/event_program.h"
#include "agent/conntrack/kernel.h"
#include "agent/conntrack/parse.h"
#include "tests/agent/conntrack/netns.h"
#include "tests/agent/conntrack/rule.h"

namespace zcluster::conntrack {
namespace {

TEST(NetlinkSocket, EachHasItsOwnPort) {
  absl::StatusOr<NetlinkSocket> one = NetlinkSocket::Open();
  absl::StatusOr<NetlinkSocket> two = NetlinkSocket::Open();
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one->port(), 0U);
  EXPECT_NE(one->port(), two->port());
}

TEST(NetlinkSocket, BuffersGrowBeyondWhatUsersMayHave) {
  absl::StatusOr<NetlinkSocket> socket = NetlinkSocket::Open();
  ASSERT_TRUE(socket.ok());
  ASSERT_TRUE(socket->SetReceiveBuffer(64 << 20).ok());
  int bytes = 0;
  socklen_t size = sizeof bytes;
  ASSERT_EQ(::getsockopt(socket->fd(), SOL_SOCKET, SO_RCVBUF, &bytes, &size), 0);
  EXPECT_EQ(bytes, 128 << 20);
}

TEST(NetlinkSocket, HearsEveryoneButTheMuted) {
  Netns netns;
  netns.Run([] {
    ASSERT_TRUE(TurnEventsOn("").ok());
    absl::StatusOr<KernelWriter> muted = KernelWriter::Open();
    absl::StatusOr<KernelWriter> heard = KernelWriter::Open();
    absl::StatusOr<NetlinkSocket> socket = NetlinkSocket::Open();
    ASSERT_TRUE(muted.ok() && heard.ok() && socket.ok());
    ASSERT_TRUE(socket->JoinConntrackEvents(EventProgram(muted->port(), {})).ok());
    char bytes[2048];
    muted->Add(Verb::kCreate, Natted(0), 60);
    ASSERT_TRUE(muted->Flush().empty());
    EXPECT_LT(::recv(socket->fd(), bytes, sizeof bytes, MSG_DONTWAIT), 0);
    heard->Add(Verb::kDelete, Natted(0), 0);
    ASSERT_TRUE(heard->Flush().empty());
    EXPECT_GT(::recv(socket->fd(), bytes, sizeof bytes, MSG_DONTWAIT), 0);
  });
}

TEST(NetlinkSocket, HearsNothingOfFlowsThatNoRuleTakes) {
  Netns netns;
  netns.Run([] {
    ASSERT_TRUE(TurnEventsOn("").ok());
    absl::StatusOr<KernelWriter> writer = KernelWriter::Open();
    absl::StatusOr<NetlinkSocket> socket = NetlinkSocket::Open();
    ASSERT_TRUE(writer.ok() && socket.ok());
    const Rules rules(
        {{Rule("port", "8443", "direction", "REPLY")}, {Rule("source_port", "1024")}});
    ASSERT_TRUE(socket->JoinConntrackEvents(EventProgram(0, rules)).ok());
    writer->Add(Verb::kCreate, Natted(0), 60);
    writer->Add(Verb::kCreate, Plain(Key(IPPROTO_TCP, "10.0.0.1", 9, "10.0.0.2", 443)), 60);
    writer->Add(Verb::kCreate, Natted(1), 60);
    writer->Add(Verb::kDelete, Natted(0), 0);
    ASSERT_TRUE(writer->Flush().empty());
    alignas(8) char bytes[2048];
    ASSERT_GT(::recv(socket->fd(), bytes, sizeof bytes, MSG_DONTWAIT), 0);
    Flow heard;
    ASSERT_TRUE(ParseFlow(*reinterpret_cast<const nlmsghdr*>(bytes), heard));
    EXPECT_EQ(heard.key, Natted(1).key);
    EXPECT_LT(::recv(socket->fd(), bytes, sizeof bytes, MSG_DONTWAIT), 0);
  });
}

}  // namespace
}  // namespace zcluster::conntrack
