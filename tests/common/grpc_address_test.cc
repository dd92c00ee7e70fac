// SPDX-License-Identifier: Apache-2.0
#include "common/grpc_address.h"

#include <gtest/gtest.h>

namespace zcluster {
namespace {

TEST(Address, OfAPeerIsItsHost) {
  EXPECT_EQ(HostOf("ipv4:10.0.0.2:7700"), "10.0.0.2");
  EXPECT_EQ(HostOf("ipv6:%5Bfd00::2%5D:7700"), "fd00::2");
  EXPECT_EQ(HostOf("ipv6:[fd00::2]:7700"), "fd00::2");
  EXPECT_EQ(HostOf("ipv6:%5B::ffff:10.0.0.2%5D:7700"), "10.0.0.2");
  EXPECT_EQ(HostOf("10.0.0.2:7700"), "10.0.0.2");
  EXPECT_EQ(HostOf("10.0.0.2"), "10.0.0.2");
  EXPECT_EQ(HostOf("fd00::2"), "fd00::2");
  EXPECT_EQ(HostOf("unix:"), "unix");
  EXPECT_EQ(HostOf(""), "");
  EXPECT_EQ(HostOf("[fd00::2"), "fd00::2");
}

TEST(Address, SeveralMakeOneTarget) {
  EXPECT_EQ(TargetOf({"10.0.0.2:7700"}), "ipv4:10.0.0.2:7700");
  EXPECT_EQ(TargetOf({"10.0.0.2:7700", "10.1.0.2:7700"}), "ipv4:10.0.0.2:7700,10.1.0.2:7700");
  EXPECT_EQ(TargetOf({"[fd00::2]:7700"}), "ipv6:%5Bfd00::2%5D:7700");
  EXPECT_EQ(TargetOf({"10.0.0.2:7700", "[fd00::2]:7700"}),
            "ipv6:%5B::ffff:10.0.0.2%5D:7700,%5Bfd00::2%5D:7700");
}

}  // namespace
}  // namespace zcluster
