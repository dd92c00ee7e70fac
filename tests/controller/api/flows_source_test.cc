// SPDX-License-Identifier: Apache-2.0
#include "controller/api/flows_source.h"

#include "tests/controller/api/api_house.h"

namespace zcluster::controller {
namespace {

class FlowsTest : public testing::Test, protected ApiHouse {
 protected:
  void Begin(uint32_t max, const std::string& pair = "web-1") {
    v1::FleetFlowsRequest request;
    request.set_pair(pair);
    request.set_max_per_second(max);
    reader_ = fleet->Flows(&call_, request);
  }
  void Seen(int count, uint64_t skipped = 0) {
    v1::FlowsSeen flows;
    for (int i = 0; i < count; ++i) flows.add_flows();
    flows.set_skipped(skipped);
    Do([&] { house.hub->OnFlows(house.lb1, flows); });
  }
  bool Watched(size_t count) {
    return Wait([&] { return house.hub->flows().watchers() == count; });
  }

  Context call_;
  std::unique_ptr<grpc::ClientReader<v1::FlowsSeen>> reader_;
};

TEST_F(FlowsTest, ShowsNoMoreThanWasAskedForAndCountsTheRest) {
  Begin(5);
  ASSERT_TRUE(Watched(1));
  Seen(8, 3);
  v1::FlowsSeen seen;
  ASSERT_TRUE(reader_->Read(&seen));
  EXPECT_EQ(seen.flows_size(), 5);
  EXPECT_EQ(seen.skipped(), 6U);
  EXPECT_EQ(seen.node(), "lb1");
  call_.TryCancel();
  ASSERT_TRUE(Watched(0));
  Do([this] { EXPECT_EQ(house.agents.sent[house.lb1].back().flows().max_per_second(), 0U); });
}

TEST_F(FlowsTest, EndsWhenThePairIsForgotten) {
  Begin(0);
  ASSERT_TRUE(Watched(1));
  v1::ForgetPairRequest forget;
  forget.set_pair("web-1");
  Do([&] { house.hub->Forget(forget, [](const auto&) {}); });
  v1::FlowsSeen seen;
  EXPECT_FALSE(reader_->Read(&seen));
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(FlowsTest, RefusesWhatItCannotAnswer) {
  Begin(1001);
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  Context another;
  v1::FleetFlowsRequest request;
  request.set_pair("none");
  EXPECT_EQ(fleet->Flows(&another, request)->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace zcluster::controller
