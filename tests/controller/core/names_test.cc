// SPDX-License-Identifier: Apache-2.0
#include "controller/core/names.h"

#include <gmock/gmock.h>

namespace zcluster::controller {
namespace {

using testing::HasSubstr;

TEST(Names, TakesPairsAsDocumented) {
  for (const char* good : {"web-1", "1a", "a", "a.b-c"}) EXPECT_TRUE(CheckPairName(good).ok());
  EXPECT_TRUE(CheckPairName(std::string(63, 'a')).ok());
  for (const char* bad : {"", "-a", ".a", "Web", "a b", "a/b", "a\n", "ä", "a_b"})
    EXPECT_FALSE(CheckPairName(bad).ok()) << bad;
  EXPECT_FALSE(CheckPairName(std::string(64, 'a')).ok());
}

TEST(Names, TakesNodesAsDocumented) {
  for (const char* good : {"lb1", "LB1.example.org", "1"}) EXPECT_TRUE(CheckNodeName(good).ok());
  for (const char* bad : {"", "-a", ".", "..", "a b", "a/b", "a_b"})
    EXPECT_FALSE(CheckNodeName(bad).ok()) << bad;
}

TEST(Names, SaysWhatIsWrongInPrint) {
  EXPECT_THAT(std::string(CheckPairName("we\x1b[2Jb").message()), HasSubstr("we\\x1B[2Jb"));
  EXPECT_LT(CheckPairName(std::string(100'000, 'a')).message().size(), 300U);
}

TEST(Names, TakesLabelsAsDocumented) {
  EXPECT_TRUE(CheckLabel("env", "prod").ok());
  EXPECT_TRUE(CheckLabel("example.org/Tier_2-b", "").ok());
  EXPECT_TRUE(CheckLabel("v", "2.0/x_y-z").ok());
  EXPECT_FALSE(CheckLabel("", "x").ok());
  EXPECT_FALSE(CheckLabel("2env", "x").ok());
  EXPECT_FALSE(CheckLabel("env", "a b").ok());
  EXPECT_FALSE(CheckLabel("env", "a,b").ok());
  EXPECT_FALSE(CheckLabel(std::string(64, 'k'), "").ok());
  EXPECT_FALSE(CheckLabel("k", std::string(64, 'v')).ok());
}

TEST(Names, KeepsSixtyFourLabels) {
  std::map<std::string, std::string> labels;
  for (size_t i = 0; i < kMaxLabels; ++i) labels["l" + std::to_string(i)] = "";
  EXPECT_TRUE(CheckLabels(labels).ok());
  labels["more"] = "";
  EXPECT_FALSE(CheckLabels(labels).ok());
}

}  // namespace
}  // namespace zcluster::controller
