// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/root.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster::configsync {
namespace {

struct Case {
  const char* name;
  std::vector<std::string> paths;
  const char* said;  // nullptr: OK
};

class CheckRootsSays : public testing::TestWithParam<Case> {};

TEST_P(CheckRootsSays, WhatIsWrong) {
  std::vector<Root> roots;
  for (const std::string& path : GetParam().paths) roots.push_back({path, {}});
  const absl::Status status = CheckRoots(roots, {"/var/lib/zcluster", "/etc/zcluster"});
  if (GetParam().said == nullptr) {
    EXPECT_TRUE(status.ok()) << status;
  } else {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(GetParam().said));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Roots, CheckRootsSays,
    testing::Values(Case{"Good", {"/etc/haproxy", "/etc/haproxy2", "/srv/x.conf"}, nullptr},
                    Case{"Relative", {"etc"}, "absolute"}, Case{"Everything", {"/"}, "absolute"},
                    Case{"DotDot", {"/etc/../root"}, "absolute"},
                    Case{"Slash", {"/etc/haproxy/"}, "absolute"},
                    Case{"Twice", {"/a", "/a"}, "overlaps with root /a"},
                    Case{"Nested", {"/a/b", "/a"}, "overlaps with root /a/b"},
                    Case{"AroundOurs", {"/etc"}, "/etc/zcluster, which is the agent's"},
                    Case{"InOurs", {"/var/lib/zcluster/x"}, "which is the agent's"}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace zcluster::configsync
