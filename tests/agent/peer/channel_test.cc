// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/agent/peer/pair.h"

namespace zcluster::peer {
namespace {

class ChannelTest : public PairTest {
 protected:
  void MakeAWith(const std::vector<std::string>& addresses) {
    a_ = std::make_unique<Agent>(OptionsOf("a"), Files("a"), "127.0.0.1:0", addresses);
    a_->Start();
  }
  std::string ConnectedTo() {
    const auto up = a_->events.Next<core::PeerConnected>();
    return up.has_value() ? up->address : a_->events.Reason("none");
  }
};

// The node's dedicated wire and its service network are two loopback addresses of one port.
TEST_F(ChannelTest, FallsOverToTheSecondAddressAndComesBackToTheFirst) {
  b_ = MakeB("127.0.0.2:0");
  const int port = b_->port();
  b_->Start();
  const std::string first = absl::StrCat("127.0.0.1:", port);
  const std::string second = absl::StrCat("127.0.0.2:", port);
  MakeAWith({first, second});
  EXPECT_EQ(ConnectedTo(), "127.0.0.2");
  b_.reset();
  b_ = MakeB(first);
  b_->Start();
  EXPECT_EQ(ConnectedTo(), "127.0.0.1");
}

TEST_F(ChannelTest, ReachesV6) {
  b_ = MakeB("[::1]:0");
  b_->Start();
  MakeAWith({absl::StrCat("[::1]:", b_->port())});
  EXPECT_EQ(ConnectedTo(), "::1");
}

TEST_F(ChannelTest, BothFamiliesInOneTarget) {
  b_ = MakeB("[::1]:0");
  const int port = b_->port();
  b_->Start();
  const std::vector<std::string> both = {absl::StrCat("127.0.0.1:", port),
                                         absl::StrCat("[::1]:", port)};
  MakeAWith(both);
  EXPECT_EQ(ConnectedTo(), "::1");
  b_.reset();
  b_ = MakeB(both[0]);
  b_->Start();
  EXPECT_EQ(ConnectedTo(), "127.0.0.1");
}

}  // namespace
}  // namespace zcluster::peer
