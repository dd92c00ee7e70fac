// SPDX-License-Identifier: Apache-2.0
#include "common/access/roll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster::access {
namespace {

using testing::HasSubstr;

const Roll kRoll{
    "lab", "lb2", {{"anna", Right::kAdmin, "SHA256:a"}, {"vera", Right::kViewer, "SHA256:v"}}};

struct Case {
  std::string name;
  tls::Identity who;
  std::string reason;  // empty: found
};

class Finds : public testing::TestWithParam<Case> {};

TEST_P(Finds, OrSaysWhyNot) {
  const absl::StatusOr<Operator> found = kRoll.FindOperator(GetParam().who);
  if (GetParam().reason.empty()) {
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->name, "vera");
    EXPECT_EQ(found->right, Right::kViewer);
  } else {
    EXPECT_TRUE(absl::IsUnauthenticated(found.status()));
    EXPECT_THAT(std::string(found.status().message()), HasSubstr(GetParam().reason));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Roll, Finds,
    testing::Values(
        Case{"WhoIsOnIt", {"zcluster://lab/operator/vera", "SHA256:v"}, ""},
        Case{"NotOfAnotherPair", {"zcluster://other/operator/vera", "SHA256:v"}, "expected"},
        Case{
            "NotAPairWhoseNameBeginsSo", {"zcluster://lab2/operator/vera", "SHA256:v"}, "expected"},
        Case{"NotANode", {"zcluster://lab/node/lb2", "SHA256:v"}, "is for zcluster://lab/node/lb2"},
        Case{"NotWhoIsNotOnIt", {"zcluster://lab/operator/otto", "SHA256:v"}, "is not admitted"},
        Case{"NotAPartOfAName", {"zcluster://lab/operator/ver", "SHA256:v"}, "is not admitted"},
        Case{"NotNobody", {"zcluster://lab/operator/", "SHA256:v"}, "is not admitted"},
        Case{"NotAnOlderKey", {"zcluster://lab/operator/vera", "SHA256:old"}, "another key"},
        Case{"NotAnothersKey", {"zcluster://lab/operator/vera", "SHA256:a"}, "another key"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Roll, InNoPairNobodyIsKnown) {
  Roll none = kRoll;
  none.pair.clear();
  EXPECT_FALSE(none.FindOperator({"zcluster://lab/operator/vera", "SHA256:v"}).ok());
  EXPECT_FALSE(none.FindOperator({"zcluster:///operator/vera", "SHA256:v"}).ok());
  EXPECT_FALSE(none.IsPeer({"zcluster:///node/lb2", "SHA256:v"}));
}

TEST(Roll, ThePeerIsTheOtherNodeAndNobodyElse) {
  EXPECT_TRUE(kRoll.IsPeer({"zcluster://lab/node/lb2", "any"}));
  EXPECT_FALSE(kRoll.IsPeer({"zcluster://lab/node/lb3", "any"}));
  EXPECT_FALSE(kRoll.IsPeer({"zcluster://lab/operator/lb2", "any"}));
  Roll alone = kRoll;
  alone.peer.clear();
  EXPECT_FALSE(alone.IsPeer({"zcluster://lab/node/", "any"}));
}

TEST(Roll, WhatAStrangerChoseIsPrintable) {
  const absl::Status status = kRoll.FindOperator({"zcluster://\x1b[2J", "k"}).status();
  EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace zcluster::access
