// SPDX-License-Identifier: Apache-2.0
#include "agent/config/config.h"

#include "tests/agent/config/files.h"

namespace zcluster::config {
namespace {

using testing::HasSubstr;

TEST_F(ConfigTest, LoadsBothFilesOfANodeThatIsInAPair) {
  const auto settings = Load(Write("agent.yaml", AgentText()), Write("pair.yaml", kPair));
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->agent.node_name, "node1");
  ASSERT_TRUE(settings->pair.has_value());
  EXPECT_EQ(settings->pair->name, "lab");
}

TEST_F(ConfigTest, TakesAMissingAgentFileForAnEmptyOne) {
  const auto settings = Load(directory_ + "/none.yaml", directory_ + "/none.yaml");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_FALSE(settings->agent.in_pair);
  EXPECT_FALSE(settings->pair.has_value());
}

TEST_F(ConfigTest, LeavesThePairFileAloneWhileTheNodeIsInNoPair) {
  const auto settings =
      Load(Write("agent.yaml", "# nothing yet\n"), Write("pair.yaml", "left: over\n"));
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_FALSE(settings->pair.has_value());
}

TEST_F(ConfigTest, NamesThePairFileThatIsNotThere) {
  const auto settings = Load(Write("agent.yaml", AgentText()), directory_ + "/none.yaml");
  EXPECT_THAT(std::string(settings.status().message()), HasSubstr("/none.yaml: No such file"));
}

TEST_F(ConfigTest, NamesAnAgentFileThatCannotBeRead) {
  const auto settings = Load(directory_, "");
  EXPECT_FALSE(settings.ok());
  EXPECT_THAT(std::string(settings.status().message()), HasSubstr(directory_));
}

TEST_F(ConfigTest, KnowsThePeersAddressesOnTheLink) {
  const auto agent =
      Agent("address: 10.0.0.2}",
            "address: 10.0.0.2, links: [\"10.9.0.2:1\", \"[fd09::2]:2\", \"10.0.0.2:7700\"]}");
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_THAT(agent->LinkAddresses(),
              testing::UnorderedElementsAre("10.9.0.2", "10.0.0.2", "fd09::2"));
}

}  // namespace
}  // namespace zcluster::config
