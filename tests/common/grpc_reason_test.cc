// SPDX-License-Identifier: Apache-2.0
#include "common/grpc_reason.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

namespace zcluster {
namespace {

CallReason Read(const std::string& said) {
  return ReasonOf(grpc::Status(grpc::StatusCode::UNAVAILABLE, said), "10.0.0.9:7700");
}

// The sentences themselves are in tests/agent/peer/reason_test.cc.
TEST(GrpcReason, NamesTheTroubleAndTheAddressThatWasTriedLast) {
  const CallReason reason = Read(
      "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.1.0.2:7700: Failed to "
      "connect to remote host: Connection refused");
  EXPECT_EQ(reason.trouble, CallTrouble::kRefused);
  EXPECT_EQ(reason.address, "10.1.0.2:7700");
}

TEST(GrpcReason, GivesOurOwnVerdictAsItWas) {
  const CallReason reason = Read(
      "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.2:7700: Custom "
      "verification check failed with error: UNAUTHENTICATED: ipv6: is in this sentence");
  EXPECT_EQ(reason.trouble, CallTrouble::kVerdict);
  EXPECT_EQ(reason.address, "10.0.0.2:7700");
  EXPECT_EQ(reason.text, "ipv6: is in this sentence");
}

TEST(GrpcReason, LeavesWhatItDoesNotKnow) {
  const CallReason reason = Read("the node's own words");
  EXPECT_EQ(reason.trouble, CallTrouble::kSaid);
  EXPECT_EQ(reason.address, "10.0.0.9:7700");
  EXPECT_EQ(reason.text, "the node's own words");
}

}  // namespace
}  // namespace zcluster
