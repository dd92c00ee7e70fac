// SPDX-License-Identifier: Apache-2.0
#include "agent/api/operator_service.h"

#include <gmock/gmock.h>

#include "tests/agent/api/node.h"

namespace zcluster::api {
namespace {

class OperatorServiceTest : public testing::Test {
 protected:
  grpc::Status Audit(uint32_t limit) {
    grpc::ClientContext call;
    v1::AuditRequest request;
    request.set_limit(limit);
    return stub_->Audit(&call, request, &entries_);
  }

  Node node_;
  grpc::ClientContext call_;
  std::unique_ptr<v1::OperatorService::Stub> stub_ =
      v1::OperatorService::NewStub(node_.LocalChannel());
  v1::AuditResponse entries_;
};

TEST_F(OperatorServiceTest, AddsAndAuditsWhomButNotTheRequest) {
  v1::AddOperatorRequest request;
  request.set_name("anna");
  request.set_role(v1::RIGHT_ADMIN);
  request.set_request("PEM");
  v1::AddOperatorResponse response;
  ASSERT_TRUE(stub_->Add(&call_, request, &response).ok());
  EXPECT_EQ(response.pair(), "lab");
  EXPECT_EQ(node_.lifecycle.asked(), "PEM");
  EXPECT_EQ(node_.guard.WaitForEnd(1),
            "zcluster.v1.OperatorService/Add name=anna role=RIGHT_ADMIN: OK");
}

TEST_F(OperatorServiceTest, ListsThem) {
  v1::ListOperatorsResponse response;
  ASSERT_TRUE(stub_->List(&call_, {}, &response).ok());
  EXPECT_EQ(response.operators(0).name(), "anna");
}

TEST_F(OperatorServiceTest, RevokesAndSaysWhyNot) {
  v1::RevokeOperatorRequest request;
  request.set_name("bert");
  v1::RevokeOperatorResponse response;
  EXPECT_EQ(stub_->Revoke(&call_, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(node_.guard.WaitForEnd(1),
            "zcluster.v1.OperatorService/Revoke name=bert: NOT_FOUND: bert: no such operator");
}

TEST_F(OperatorServiceTest, AuditShowsAHundredEntriesUnlessToldOtherwise) {
  ASSERT_TRUE(Audit(0).ok());
  EXPECT_EQ(entries_.entries_size(), 100);
  ASSERT_TRUE(Audit(3).ok());
  EXPECT_EQ(entries_.entries_size(), 3);
}

TEST_F(OperatorServiceTest, AuditRefusesToShowMoreThanTenThousand) {
  EXPECT_EQ(Audit(10'001).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace zcluster::api
