// SPDX-License-Identifier: Apache-2.0
#include "agent/api/node_service.h"

#include <gmock/gmock.h>

#include "agent/wire/wire.h"
#include "tests/agent/api/node.h"

namespace zcluster::api {
namespace {

grpc::Status Token(const Node& node, const v1::TokenRequest& request, v1::TokenResponse* response) {
  grpc::ClientContext call;
  return v1::NodeService::NewStub(node.LocalChannel())->Token(&call, request, response);
}

TEST(NodeService, ATokenLivesAQuarterOfAnHourUnlessToldOtherwise) {
  Node node;
  v1::TokenRequest request;
  v1::TokenResponse response;
  ASSERT_TRUE(Token(node, request, &response).ok());
  EXPECT_EQ(response.token(), "15m");
  *request.mutable_lifetime() = wire::ToProto(absl::Hours(24));
  ASSERT_TRUE(Token(node, request, &response).ok());
  EXPECT_EQ(response.token(), "24h");
}

TEST(NodeService, ALifetimeOutOfRangeIsRefused) {
  Node node;
  for (const absl::Duration lifetime :
       {absl::Seconds(9), absl::Hours(24) + absl::Seconds(1), -absl::Seconds(60)}) {
    v1::TokenRequest request;
    v1::TokenResponse response;
    *request.mutable_lifetime() = wire::ToProto(lifetime);
    const grpc::Status status = Token(node, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), testing::HasSubstr("lifetime: "));
  }
}

TEST(NodeService, ATokenIsAuditedButNotWhatItIs) {
  Node node;
  v1::TokenResponse response;
  ASSERT_TRUE(Token(node, {}, &response).ok());
  EXPECT_EQ(node.guard.WaitForEnd(1), "zcluster.v1.NodeService/Token: OK");
}

TEST(NodeService, FingerprintAndUnlockAreHandedOn) {
  Node node;
  const auto stub = v1::NodeService::NewStub(node.LocalChannel());
  grpc::ClientContext first, second;
  v1::FingerprintResponse fingerprint;
  EXPECT_TRUE(stub->Fingerprint(&first, {}, &fingerprint).ok());
  EXPECT_EQ(fingerprint.fingerprint(), "SHA256:own");
  v1::UnlockResponse unlocked;
  EXPECT_EQ(stub->Unlock(&second, {}, &unlocked).error_message(), "not locked");
}

}  // namespace
}  // namespace zcluster::api
