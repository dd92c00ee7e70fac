// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/message.h"

#include "tests/agent/conntrack/netns.h"

// What the messages mean to the kernel is the matter of kernel_writer_test.cc.
namespace zcluster::conntrack {
namespace {

TEST(Message, TheLongestFits) {
  Flow flow = Plain(Key(IPPROTO_TCP, "2001:db8::7", 1024, "2001:db8:1::10", 443));
  flow.reply.source = Ip("fd00::2");
  flow.reply.destination = Ip("fd00::254");
  flow.key.zone = 9;
  alignas(8) char bytes[4 * kMaxMessage];
  EXPECT_LE(PutCreate(bytes, 1, flow, 60), kMaxMessage);
  EXPECT_LE(PutUpdate(bytes, 1, flow, 60), kMaxMessage);
  EXPECT_LE(PutDeleteByReply(bytes, 1, flow), kMaxMessage);
}

}  // namespace
}  // namespace zcluster::conntrack
