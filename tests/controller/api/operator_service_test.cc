// SPDX-License-Identifier: Apache-2.0
#include "controller/api/operator_service.h"

#include "tests/controller/api/api_house.h"

namespace zcluster::controller {
namespace {

class OperatorServiceTest : public testing::Test, protected ApiHouse {};

TEST_F(OperatorServiceTest, AddsListsRevokesAndAudits) {
  v1::AddOperatorRequest add;
  add.set_name("anna");
  add.set_role(v1::RIGHT_VIEWER);
  add.set_request(*pki::MakeRequest(*pki::MakeKey(), "zcluster://x"));
  v1::AddOperatorResponse added;
  Context first;
  ASSERT_TRUE(operators->Add(&first, add, &added).ok());
  EXPECT_EQ(added.pair(), "acme");
  EXPECT_EQ(guard.WaitForEnd(1), "zcluster.v1.OperatorService/Add name=anna role=RIGHT_VIEWER: OK");
  v1::ListOperatorsResponse list;
  Context second;
  ASSERT_TRUE(operators->List(&second, {}, &list).ok());
  EXPECT_EQ(list.operators(0).name(), "anna");
  v1::RevokeOperatorRequest revoke;
  revoke.set_name("anna");
  v1::RevokeOperatorResponse revoked;
  Context third;
  ASSERT_TRUE(operators->Revoke(&third, revoke, &revoked).ok());
  Context fourth;
  EXPECT_EQ(operators->Revoke(&fourth, revoke, &revoked).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(OperatorServiceTest, ShowsTheAuditWithinBounds) {
  v1::AuditRequest request;
  v1::AuditResponse response;
  Context first;
  ASSERT_TRUE(operators->Audit(&first, request, &response).ok());
  EXPECT_EQ(response.entries_size(), 100);
  request.set_limit(10'001);
  Context second;
  EXPECT_EQ(operators->Audit(&second, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace zcluster::controller
