// SPDX-License-Identifier: Apache-2.0
#include "common/flow_words.h"

#include <gtest/gtest.h>

namespace zcluster {
namespace {

TEST(FlowWords, ProtocolsThereAndBack) {
  EXPECT_EQ(ProtocolWord(6), "tcp");
  EXPECT_EQ(ProtocolWord(136), "udplite");
  EXPECT_EQ(ProtocolWord(99), "protocol 99");
  for (uint32_t number = 1; number < 256; ++number) {
    const uint32_t back = ProtocolOf(ProtocolWord(number));
    EXPECT_TRUE(back == number || back == 0) << number;
  }
  EXPECT_EQ(ProtocolOf("sctp"), 132u);
  EXPECT_EQ(ProtocolOf("TCP"), 0u);
}

TEST(FlowWords, StatesThereAndBack) {
  EXPECT_EQ(TcpStateWord(3), "ESTABLISHED");
  EXPECT_EQ(TcpStateWord(10), "UNKNOWN");
  for (uint32_t state = 0; state < 10; ++state) EXPECT_EQ(TcpStateOf(TcpStateWord(state)), state);
  EXPECT_EQ(TcpStateOf("UNKNOWN"), std::nullopt);
}

}  // namespace
}  // namespace zcluster
