// SPDX-License-Identifier: Apache-2.0
#include "controller/api/fleet_service.h"

#include "tests/controller/api/api_house.h"

namespace zcluster::controller {
namespace {

using testing::HasSubstr;

class FleetServiceTest : public testing::Test, protected ApiHouse {
 protected:
  Context call_;
};

TEST_F(FleetServiceTest, MakesATokenAndNeverAuditsIt) {
  v1::FleetTokenRequest request;
  request.set_pair("web-2");
  (*request.mutable_labels())["env"] = "prod";
  request.mutable_lifetime()->set_seconds(60);
  v1::FleetTokenResponse response;
  ASSERT_TRUE(fleet->Token(&call_, request, &response).ok());
  EXPECT_EQ(response.token(), "zf1.secret");
  EXPECT_EQ(response.expires().seconds(), 1'800'000'000);
  EXPECT_EQ(enrolment.wanted.pair, "web-2");
  EXPECT_EQ(guard.WaitForEnd(1),
            "zcluster.v1.FleetService/Token pair=web-2 labels=env:prod lifetime=1m: OK");
  Context another;
  ASSERT_TRUE(fleet->Token(&another, {}, &response).ok());
  EXPECT_EQ(enrolment.wanted.lifetime, absl::Hours(1));
}

TEST_F(FleetServiceTest, ListsWhatMatches) {
  v1::ListPairsRequest request;
  request.set_selector("env=prod");
  v1::ListPairsResponse response;
  ASSERT_TRUE(fleet->List(&call_, request, &response).ok());
  EXPECT_EQ(response.total(), 1U);
  ASSERT_EQ(response.pairs_size(), 1);
  EXPECT_EQ(response.pairs(0).master(), "lb1");
  EXPECT_TRUE(response.pairs(0).nodes(0).has_age());
  for (const char* wrong : {"selector", "order", "page"}) {
    Context context;
    v1::ListPairsRequest bad;
    const auto* field = bad.GetDescriptor()->FindFieldByName(wrong);
    bad.GetReflection()->SetString(&bad, field, "?!");
    const grpc::Status status = fleet->List(&context, bad, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr(wrong));
  }
}

TEST_F(FleetServiceTest, PagesThroughAWholeFleet) {
  Do([this] {
    for (int i = 0; i < 25; ++i) {
      MakePair(absl::StrCat("p", i));
    }
  });
  v1::ListPairsRequest request;
  request.set_page_size(10);
  std::set<std::string> names;
  int pages = 0;
  do {
    Context context;
    v1::ListPairsResponse response;
    ASSERT_TRUE(fleet->List(&context, request, &response).ok());
    EXPECT_EQ(response.total(), 26U);
    for (const v1::PairSummary& pair : response.pairs()) names.insert(pair.name());
    request.set_page(response.next_page());
    ++pages;
  } while (!request.page().empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(names.size(), 26U);
}

TEST_F(FleetServiceTest, ShowsAPairOrSaysThatThereIsNone) {
  v1::ShowPairRequest request;
  request.set_pair("web-1");
  v1::ShowPairResponse response;
  ASSERT_TRUE(fleet->Show(&call_, request, &response).ok());
  EXPECT_EQ(response.views_size(), 2);
  request.set_pair("we\x1b");
  Context another;
  const grpc::Status status = fleet->Show(&another, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("we\\x1B"));
}

TEST_F(FleetServiceTest, LabelsAndForgetsAndAuditsIt) {
  v1::LabelPairRequest label;
  label.set_pair("web-1");
  (*label.mutable_set())["site"] = "b";
  label.add_remove("env");
  v1::LabelPairResponse labels;
  ASSERT_TRUE(fleet->Label(&call_, label, &labels).ok());
  EXPECT_EQ(labels.labels().at("site"), "b");
  EXPECT_EQ(guard.WaitForEnd(1),
            "zcluster.v1.FleetService/Label pair=web-1 set=site:b remove=env: OK");
  v1::ForgetPairRequest forget;
  forget.set_pair("web-1");
  forget.set_node("lb2");
  v1::ForgetPairResponse nothing;
  Context another;
  ASSERT_TRUE(fleet->Forget(&another, forget, &nothing).ok());
  EXPECT_EQ(guard.WaitForEnd(2), "zcluster.v1.FleetService/Forget pair=web-1 node=lb2: OK");
}

TEST_F(FleetServiceTest, AsksNobodyWhoMayNot) {
  guard.Refuse(absl::PermissionDeniedError("no"));
  v1::ListPairsResponse response;
  EXPECT_EQ(fleet->List(&call_, {}, &response).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  Context another;
  const auto watch = fleet->Watch(&another, {});
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace zcluster::controller
