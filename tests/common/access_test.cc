// SPDX-License-Identifier: Apache-2.0
#include "common/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace zcluster::access {
namespace {

using testing::HasSubstr;

Caller With(Right right) { return {.name = "operator anna", .right = right, .from = "192.0.2.7"}; }

const Caller kPeer{.name = "node lb2", .peer = true, .from = "192.0.2.2"};

TEST(Access, EachMethodHasOneRule) {
  std::set<std::string> seen;
  for (const Rule& rule : Table())
    EXPECT_TRUE(seen.emplace(rule.method).second) << rule.method << " stands twice in the table";
}

TEST(Access, AMethodIsFoundAsGrpcWritesItToo) {
  ASSERT_NE(Find("zcluster.v1.ClusterService/Nodes"), nullptr);
  EXPECT_EQ(Find("/zcluster.v1.ClusterService/Nodes"), Find("zcluster.v1.ClusterService/Nodes"));
}

TEST(Access, WhatIsNotInTheTableHasNoRule) {
  for (const char* method : {"", "/", "zcluster.v1.ClusterService/nodes", "ClusterService/Nodes",
                             "//zcluster.v1.ClusterService/Nodes"})
    EXPECT_EQ(Find(method), nullptr) << method;
}

struct Case {
  std::string name;
  For who;
  Right least;  // that is let in
};

class Needs : public testing::TestWithParam<Case> {};

TEST_P(Needs, ThatRightOrMore) {
  const Rule rule{"zcluster.v1.Test/Do", GetParam().who, false};
  for (Right right : {Right::kNone, Right::kViewer, Right::kOperator, Right::kAdmin}) {
    EXPECT_EQ(Check(With(right), rule).ok(), right >= GetParam().least) << Name(right);
  }
}

INSTANTIATE_TEST_SUITE_P(Access, Needs,
                         testing::Values(Case{"Viewer", For::kViewer, Right::kViewer},
                                         Case{"Operator", For::kOperator, Right::kOperator},
                                         Case{"Admin", For::kAdmin, Right::kAdmin}),
                         [](const auto& tested) { return tested.param.name; });

TEST(Access, AnAdminIsNotThePeer) {
  const Rule rule{"zcluster.v1.Test/Do", For::kPeer, false};
  EXPECT_TRUE(absl::IsPermissionDenied(Check(With(Right::kAdmin), rule)));
  EXPECT_TRUE(Check(kPeer, rule).ok());
}

TEST(Access, ThePeerIsNoOperator) {
  EXPECT_TRUE(absl::IsPermissionDenied(Check(kPeer, {"zcluster.v1.Test/Do", For::kViewer, false})));
}

TEST(Access, ThePeerMayWhatItsServerHasANarrowerFormOf) {
  EXPECT_TRUE(Check(kPeer, {"zcluster.v1.Test/Do", For::kOperator, true, true}).ok());
}

TEST(Access, NobodyIsLetInToBootstrappingByARight) {
  const Rule rule{"zcluster.v1.Test/Join", For::kBootstrap, true};
  EXPECT_TRUE(absl::IsPermissionDenied(Check(With(Right::kAdmin), rule)));
  EXPECT_TRUE(absl::IsPermissionDenied(Check(kPeer, rule)));
}

TEST(Access, ARefusalNamesTheCallerWhatItHasAndWhatItNeeds) {
  const absl::Status refused =
      Check(With(Right::kViewer), *Find("zcluster.v1.MaintenanceService/Switchover"));
  EXPECT_EQ(refused.message(),
            "operator anna has the right viewer, but zcluster.v1.MaintenanceService/Switchover "
            "needs operator");
  EXPECT_THAT(
      std::string(
          Check(With(Right::kNone), *Find("zcluster.v1.MaintenanceService/Switchover")).message()),
      HasSubstr("needs the right operator"));
}

}  // namespace
}  // namespace zcluster::access
