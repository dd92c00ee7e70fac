// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "agent/bootstrap/bootstrap.h"
#include "tests/agent/bootstrap/node.h"
#include "tests/agent/bootstrap/stranger.h"

// Somebody in between, who answers at the node's address with a key of its own and can reach the
// node: learns nothing, and gets nowhere.
namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class ManInTheMiddle : public NodeTest {
 protected:
  absl::Status Join(const std::string& address, std::string secret, std::string password) {
    Caller caller(node_->thread(), {address, node_->Fingerprint()});
    return caller.Admit(std::move(secret), std::move(password)).status();
  }
};

TEST_F(ManInTheMiddle, HearsNothingOfAJoinByToken) {
  const std::string token = node_->Token();
  Listener between;
  const absl::Status status = Join(between.address(), ParseToken(token)->secret, "");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(status.message(), HasSubstr(between.fingerprint()));
  EXPECT_THAT(status.message(), HasSubstr(node_->Fingerprint()));
  EXPECT_EQ(between.Heard(), "") << "beyond the handshake";
  EXPECT_TRUE(JoinByToken(token).ok()) << "the token is as good as before";
}

TEST_F(ManInTheMiddle, HearsNothingOfAJoinByPassword) {
  Listener between;
  const absl::Status status = Join(between.address(), "", "the password of root");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(between.Heard(), "") << "beyond the handshake";
}

TEST_F(ManInTheMiddle, IsHeardByTheListenerIfACallerBelievesIt) {
  Listener between;
  Stranger caller(between.address());
  caller.Say({caller.Proof(node_->Token(), between.fingerprint())});
  EXPECT_THAT(between.Heard(), HasSubstr("HTTP/2")) << "the tests above prove nothing";
}

TEST_F(ManInTheMiddle, GetsNoCallToRelay) {
  Relay between(node_->address());
  EXPECT_EQ(Join(between.address(), ParseToken(node_->Token())->secret, "").code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(between.calls(), 0);
  EXPECT_EQ(node_->handler().begun(), 0);
}

// Should a caller ever believe it: what it relays is good for its own connection to that caller,
// and for no other.
TEST_F(ManInTheMiddle, GetsNowhereWithTheProofThatWasMadeForIt) {
  Relay between(node_->address());
  Stranger caller(between.address());
  std::vector<v1::JoinReply> replies;
  const grpc::Status status =
      caller.Say({caller.Proof(node_->Token(), between.fingerprint())}, &replies);
  EXPECT_EQ(between.calls(), 1);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("the token is wrong"));
  EXPECT_THAT(replies, SizeIs(0));
  EXPECT_EQ(node_->handler().begun(), 0);
}

TEST_F(ManInTheMiddle, GetsNowhereWithAProofThatWasMadeForTheNode) {
  Relay between(node_->address());
  Stranger caller(between.address());
  const grpc::Status status = caller.Say({caller.Proof(node_->Token(), node_->Fingerprint())});
  EXPECT_EQ(between.calls(), 1);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(node_->handler().begun(), 0);
}

TEST_F(ManInTheMiddle, IsTheOnlyReasonWhyThatProofFails) {
  Stranger caller(node_->address());
  std::vector<v1::JoinReply> replies;
  const grpc::Status status =
      caller.Say({caller.Proof(node_->Token(), node_->Fingerprint())}, &replies);
  ASSERT_THAT(replies, SizeIs(1)) << status.error_message();
  EXPECT_TRUE(replies[0].has_admitted());
}

}  // namespace
}  // namespace zcluster::bootstrap
