// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/agent_uri.h"

#include <gmock/gmock.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace zcluster::controller {
namespace {

using ::testing::HasSubstr;

TEST(AgentUri, NamesAnAgent) {
  const auto agent = ParseAgentUri("fleet", "zcluster://fleet/agent/web-1/lb2.example");
  ASSERT_TRUE(agent.ok());
  EXPECT_EQ(*agent, (AgentId{"web-1", "lb2.example"}));
}

TEST(AgentUri, NamesNobodyElse) {
  for (const std::string& other :
       {std::string(), std::string("zcluster://fleet/agent/web-1"),
        std::string("zcluster://fleet/agent/web-1/"), std::string("zcluster://fleet/agent//a"),
        std::string("zcluster://fleet/agent/web-1/a/b"),
        std::string("zcluster://other/agent/web-1/a"),
        std::string("zcluster://fleet/operator/anna"), std::string("zcluster://fleet/node/a"),
        std::string("zcluster://fleet/controller/main"),
        std::string("ZCLUSTER://fleet/agent/web-1/a"), std::string(" zcluster://fleet/agent/x/a"),
        absl::StrCat("zcluster://fleet/agent/web-1/", std::string(64, 'x'))}) {
    const auto agent = ParseAgentUri("fleet", other);
    EXPECT_EQ(agent.status().code(), absl::StatusCode::kUnauthenticated) << other;
    EXPECT_THAT(std::string(agent.status().message()), HasSubstr("an agent of the fleet fleet"));
  }
}

}  // namespace
}  // namespace zcluster::controller
