// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "tests/agent/config/files.h"

namespace zcluster::config {
namespace {

using testing::StartsWith;

using AgentFileTest = ConfigTest;

TEST_F(AgentFileTest, FillsInWhatWasLeftOut) {
  const auto agent = Agent();
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_TRUE(agent->in_pair);
  EXPECT_EQ(agent->listen, "[::]:7700");
  EXPECT_EQ(agent->listen_port, 7700);
  EXPECT_THAT(agent->peer_links, testing::ElementsAre("10.0.0.2:7700"));
}

TEST_F(AgentFileTest, KnowsAllOfANodeThatIsInNoPair) {
  const auto agent = ParseAgent("agent.yaml", "");
  ASSERT_TRUE(agent.ok()) << agent.status();
  char host[256] = {};
  ASSERT_EQ(::gethostname(host, sizeof host - 1), 0);
  EXPECT_FALSE(agent->in_pair);
  EXPECT_EQ(agent->node_name, host);
  EXPECT_EQ(agent->node_address, "");
  EXPECT_TRUE(agent->peer_links.empty());
  EXPECT_EQ(agent->listen, "[::]:7700");
  EXPECT_EQ(agent->bootstrap_listen, "[::]:7701");
  EXPECT_EQ(agent->bootstrap_port, 7701);
  EXPECT_TRUE(agent->bootstrap_password);
  EXPECT_EQ(agent->api_listen, "[::]:7702");
  EXPECT_EQ(agent->api_port, 7702);
  EXPECT_FALSE(agent->tls_given);
  EXPECT_EQ(agent->certificate_lifetime, absl::Hours(90 * 24));
}

TEST_F(AgentFileTest, TakesWhereToListenAndWhetherThePasswordLetsIn) {
  const auto agent = ParseAgent("agent.yaml",
                                "listen: 10.0.0.1:1\n"
                                "bootstrap: {listen: 10.0.0.1:2, password: false}\n"
                                "api: {listen: \"[2001:db8::1]:3\"}\n");
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_EQ(agent->listen_port, 1);
  EXPECT_EQ(agent->bootstrap_listen, "10.0.0.1:2");
  EXPECT_EQ(agent->bootstrap_port, 2);
  EXPECT_FALSE(agent->bootstrap_password);
  EXPECT_EQ(agent->api_listen, "[2001:db8::1]:3");
  EXPECT_EQ(agent->api_port, 3);
}

TEST_F(AgentFileTest, TakesWhereMonitoringLooks) {
  const auto listen = [](const std::string& text) {
    const auto agent = ParseAgent("agent.yaml", text);
    return agent.ok() ? agent->metrics_listen : std::string(agent.status().message());
  };
  EXPECT_EQ(listen(""), "127.0.0.1:7703");
  EXPECT_EQ(listen("metrics: {listen: \"[::]:9\"}"), "[::]:9");
  EXPECT_EQ(listen("metrics: {listen: \"off\"}"), "off");
  EXPECT_EQ(listen("bootstrap: {password: false}\nmetrics:\n  listen: 7703\n"),
            "agent.yaml:3: metrics.listen: is '7703'; expected ADDRESS:PORT, such as "
            "127.0.0.1:7703, or off");
  EXPECT_THAT(listen("metrics: {listen: \"10.0.0.1:0\"}"), StartsWith("agent.yaml:1: metrics."));
  EXPECT_THAT(listen("metrics: {port: 1}"), StartsWith("agent.yaml:1: metrics."));
}

TEST_F(AgentFileTest, LetsANodeOfAPairUseTheIdentityThatTheAgentMakes) {
  const auto agent = Agent("tls: {certificate: " + directory_ + "/c, key: " + directory_ +
                               "/k, ca: " + directory_ + "/a}",
                           "tls: {lifetime: 20s}");
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_TRUE(agent->in_pair);
  EXPECT_FALSE(agent->tls_given);
  EXPECT_EQ(agent->certificate, "");
  EXPECT_EQ(agent->certificate_lifetime, absl::Seconds(20));
}

TEST_F(AgentFileTest, TakesTheFilesOfSomebodyElse) {
  const auto agent = Agent();
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_TRUE(agent->tls_given);
  EXPECT_EQ(agent->certificate, directory_ + "/c");
  EXPECT_EQ(agent->key, directory_ + "/k");
  EXPECT_EQ(agent->ca, directory_ + "/a");
}

TEST_F(AgentFileTest, NamesACertificateFileThatIsMissing) {
  std::filesystem::remove(directory_ + "/k");
  EXPECT_THAT(std::string(Agent().status().message()),
              StartsWith("agent.yaml:3: tls.key: " + directory_ + "/k: No such file"));
}

TEST_F(AgentFileTest, WantsAllThreeFilesOrNone) {
  const std::string c = directory_ + "/c";
  ExpectRefused(ParseAgent("agent.yaml", "tls: {certificate: " + c + ", ca: " + c + "}"),
                "agent.yaml:1: tls.key: is missing; give certificate, key and ca, or none");
  ExpectRefused(ParseAgent("agent.yaml", "tls: {key: " + c + "}"),
                "agent.yaml:1: tls.certificate: is missing");
  ExpectRefused(ParseAgent("agent.yaml", "tls: {certificate: " + c + ", key: " + c + "}"),
                "agent.yaml:1: tls.ca: is missing");
}

TEST_F(AgentFileTest, TakesLifetimesUpToTheirBounds) {
  for (const char* text : {"10s", "19800h"}) {
    const auto agent = ParseAgent("agent.yaml", absl::StrCat("tls: {lifetime: ", text, "}"));
    EXPECT_TRUE(agent.ok()) << agent.status();
  }
}

TEST_F(AgentFileTest, KnowsNoControllerUnlessItIsGiven) {
  EXPECT_FALSE(Agent()->controller.has_value());
}

TEST_F(AgentFileTest, FillsInWhatIsLeftOutOfTheController) {
  const auto agent =
      ParseAgent("agent.yaml", "controller: {addresses: [\"10.40.0.5:7800\", \"[fd00::5]:1\"]}");
  ASSERT_TRUE(agent.ok()) << agent.status();
  ASSERT_TRUE(agent->controller);
  EXPECT_THAT(agent->controller->addresses, testing::ElementsAre("10.40.0.5:7800", "[fd00::5]:1"));
  EXPECT_THAT(agent->controller->enrolment,
              testing::ElementsAre("10.40.0.5:7801", "[fd00::5]:7801"));
  EXPECT_EQ(agent->controller->token_file, "/etc/zcluster/controller.token");
  EXPECT_EQ(agent->controller->allow, access::Right::kViewer);
}

TEST_F(AgentFileTest, TakesWhatIsSaidOfTheController) {
  const auto agent = ParseAgent("agent.yaml",
                                "controller: {addresses: [\"10.0.0.5:1\"], enrolment: "
                                "[\"10.0.0.6:2\"], token_file: /root/token, allow: OPERATOR}");
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_THAT(agent->controller->enrolment, testing::ElementsAre("10.0.0.6:2"));
  EXPECT_EQ(agent->controller->token_file, "/root/token");
  EXPECT_EQ(agent->controller->allow, access::Right::kOperator);
}

TEST_F(AgentFileTest, SaysWhatIsWrongOfTheController) {
  ExpectRefused(ParseAgent("agent.yaml", "controller: {allow: ADMIN}"),
                "agent.yaml:1: controller.addresses: is missing; expected where the controller");
  ExpectRefused(ParseAgent("agent.yaml", "controller: {addresses: [\"ctl1:7800\"]}"),
                "agent.yaml:1: controller.addresses[0]: is 'ctl1:7800'; expected ADDRESS:PORT");
  ExpectRefused(
      ParseAgent("agent.yaml", "controller: {addresses: [\"10.0.0.5:1\"], enrolment: [x]}"),
      "agent.yaml:1: controller.enrolment[0]: is 'x'; expected ADDRESS:PORT");
  ExpectRefused(
      ParseAgent("agent.yaml", "controller: {addresses: [\"10.0.0.5:1\"], token_file: token}"),
      "agent.yaml:1: controller.token_file: is 'token'; expected an absolute path");
  ExpectRefused(ParseAgent("agent.yaml", "controller: {addresses: [\"10.0.0.5:1\"], allow: ROOT}"),
                "agent.yaml:1: controller.allow");
}

TEST_F(AgentFileTest, SaysWhatIsWrong) {
  for (const Case& c : {
           Case{"peer: {name: node2, address: 10.0.0.2}\n", "",
                "agent.yaml:1: peer: is missing; a node that is in a pair has 'node' and 'peer'"},
           Case{"node: {name: node1, address: 10.0.0.1, interface: eth0}\n", "",
                "agent.yaml:1: node: is missing; a node that is in a pair has 'node' and 'peer'"},
           Case{"address: 10.0.0.1,", "", "agent.yaml:1: node.address: is missing"},
           Case{"10.0.0.1", "10.0.0.300",
                "agent.yaml:1: node.address: is '10.0.0.300'; expected an IPv4 or IPv6"},
           Case{"10.0.0.1", "10.0.0.1/24",
                "agent.yaml:1: node.address: is '10.0.0.1/24'; expected an IPv4 address without"},
           Case{"10.0.0.1", "127.0.0.1",
                "agent.yaml:1: node.address: is '127.0.0.1'; expected an address that one node"},
           Case{"10.0.0.2", "224.0.0.18",
                "agent.yaml:2: peer.address: is '224.0.0.18'; expected an address that one node"},
           Case{"10.0.0.2", "10.0.0.1",
                "agent.yaml:2: peer.address: is '10.0.0.1', this node's own"},
           Case{"node2", "node1", "agent.yaml:2: peer.name: is 'node1', this node's own"},
           Case{", interface: eth0", "", "agent.yaml:1: node.interface: is missing"},
           Case{"eth0", "averyverylonginterface", "agent.yaml:1: node.interface"},
           Case{"address: 10.0.0.2}", "address: 10.0.0.2, links: [10.0.0.2]}",
                "agent.yaml:2: peer.links[0]: is '10.0.0.2'; expected ADDRESS:PORT"},
           Case{"/usr/bin/echo", "echo",
                "agent.yaml:4: programs[0]: is 'echo'; expected an absolute path"},
           Case{"programs:", "listen: 7700\nprograms:",
                "agent.yaml:4: listen: is '7700'; expected ADDRESS:PORT"},
           Case{"programs:", "bootstrap: {listen: \"[::]:0\"}\nprograms:",
                "agent.yaml:4: bootstrap.listen: is '[::]:0'; expected ADDRESS:PORT"},
           Case{"programs:", "api: {listen: everywhere}\nprograms:",
                "agent.yaml:4: api.listen: is 'everywhere'; expected ADDRESS:PORT"},
           Case{"tls: {", "tls: {lifetime: 9s, ",
                "agent.yaml:3: tls.lifetime: is 9s; expected 10s to 825 days"},
           Case{"tls: {", "tls: {lifetime: 19801h, ",
                "agent.yaml:3: tls.lifetime: is 19801h; expected 10s to 825 days"},
       }) {
    ExpectRefused(Agent(c.from, c.to), c.error);
  }
}

// These values stand in keepalived's and nftables' configuration, in gRPC's targets, in argv.
TEST_F(AgentFileTest, LetsNoTextIntoTheConfigurationOfOthers) {
  for (const Case& c : {
           Case{"name: node1", "name: \"a\\n}\"",
                "agent.yaml:1: node.name: is 'a\\x0A}'; expected a host name"},
           Case{"name: node1", "name: \"a{b\"", "agent.yaml:1: node.name: is 'a{b'"},
           Case{"name: node2", "name: \"a b\"", "agent.yaml:2: peer.name: is 'a b'"},
           Case{"10.0.0.1", "\"10.0.0.1\\n}\"", "agent.yaml:1: node.address: is '10.0.0.1\\x0A}'"},
           Case{"10.0.0.1", "\"10.0.0.1\\0}\"", "agent.yaml:1: node.address: is '10.0.0.1\\x00}'"},
           Case{"10.0.0.2", "\"10.0.0.2 }\"", "agent.yaml:2: peer.address: is '10.0.0.2 }'"},
           Case{"eth0", "'eth 0'", "agent.yaml:1: node.interface: is 'eth 0'"},
           Case{"eth0", "\"eth0\\n}\"", "agent.yaml:1: node.interface: is 'eth0\\x0A}'"},
           Case{"eth0", "\"e\\\"; x\"", "agent.yaml:1: node.interface"},
           Case{"eth0", "'eth{'", "agent.yaml:1: node.interface: is 'eth{'"},
           Case{"eth0", "'eth$x'", "agent.yaml:1: node.interface: is 'eth$x'"},
           Case{"eth0", "'eth*'", "agent.yaml:1: node.interface: is 'eth*'"},
           Case{"eth0", "'~SEQ(a)'", "agent.yaml:1: node.interface: is '~SEQ(a)'"},
           Case{"address: 10.0.0.2}", "address: 10.0.0.2, links: [\"10.0.0.2\\0 }:1\"]}",
                "agent.yaml:2: peer.links[0]: is '10.0.0.2\\x00 }:1'"},
           Case{"address: 10.0.0.2}", "address: 10.0.0.2, links: [\"10.0.0.2:1\\n\"]}",
                "agent.yaml:2: peer.links[0]: is '10.0.0.2:1\\x0A'"},
           Case{"address: 10.0.0.2}", "address: 10.0.0.2, links: [\"10.0.0.2: 1\"]}",
                "agent.yaml:2: peer.links[0]: is '10.0.0.2: 1'"},
           Case{"programs:", "listen: \"10.0.0.1:1\\t\"\nprograms:",
                "agent.yaml:4: listen: is '10.0.0.1:1\\x09'"},
           Case{"/usr/bin/echo", "\"/usr/bin/echo\\n\"",
                "agent.yaml:4: programs[0]: is '/usr/bin/echo\\x0A'; expected a text without"},
       }) {
    ExpectRefused(Agent(c.from, c.to), c.error);
  }
}

}  // namespace
}  // namespace zcluster::config
