// SPDX-License-Identifier: Apache-2.0
#include "agent/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_replace.h"

namespace zcluster::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kAgent[] = R"(node: {name: node1, address: 10.0.0.1, interface: eth0}
peer: {name: node2, address: 10.0.0.2}
tls: {certificate: DIR/c, key: DIR/k, ca: DIR/a}
programs: [/usr/bin/echo]
)";

constexpr char kPair[] = R"(name: lab
vrrp: {router_id: 51, advert_interval: 100ms}
vips:
  - {address: 192.0.2.10/24, interface: front}
  - {address: "2001:DB8:0::10/64"}
roots: [{path: /etc/haproxy}]
commands:
  - {name: say, argv: [/usr/bin/echo, "{word}"], arguments: [{name: word, pattern: "[a-z]+"}]}
)";

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = testing::TempDir() + "zc-config-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    for (const char* name : {"c", "k", "a"}) std::ofstream(directory_ + "/" + name) << "x";
  }
  ~ConfigTest() override { std::filesystem::remove_all(directory_); }

  absl::StatusOr<AgentSettings> Agent(absl::string_view from = "", absl::string_view to = "") {
    std::string text = absl::StrReplaceAll(kAgent, {{"DIR", directory_}});
    if (!from.empty()) text = absl::StrReplaceAll(text, {{from, to}});
    return ParseAgent("agent.yaml", text);
  }
  absl::StatusOr<PairSettings> Pair(absl::string_view from = "", absl::string_view to = "") {
    std::string text = kPair;
    if (!from.empty()) text = absl::StrReplaceAll(text, {{from, to}});
    return ParsePair("pair.yaml", text, *Agent());
  }
  std::string directory_;
};

TEST_F(ConfigTest, FillsInWhatWasLeftOut) {
  const auto agent = Agent();
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_EQ(agent->listen, "[::]:7700");
  EXPECT_EQ(agent->listen_port, 7700);
  EXPECT_THAT(agent->peer_links, testing::ElementsAre("10.0.0.2:7700"));
  const auto pair = Pair();
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->failback, core::Failback::kKeep);
  EXPECT_TRUE(pair->replicate_conntrack);
  EXPECT_EQ(pair->advert_interval.duration(), absl::Milliseconds(100));
  EXPECT_EQ(pair->vips[1].WithPrefix(), "2001:db8::10/64");
  EXPECT_EQ(pair->vips[1].interface, "eth0");
  EXPECT_EQ(pair->commands[0].timeout, absl::Seconds(30));
}

TEST_F(ConfigTest, KnowsThePeersAddressesOnTheLink) {
  const auto agent =
      Agent("address: 10.0.0.2}",
            "address: 10.0.0.2, links: [\"10.9.0.2:1\", \"[fd09::2]:2\", \"10.0.0.2:7700\"]}");
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_THAT(agent->LinkAddresses(),
              testing::UnorderedElementsAre("10.9.0.2", "10.0.0.2", "fd09::2"));
}

TEST_F(ConfigTest, LetsAPairBeWithoutVip) {
  const auto pair = ParsePair("pair.yaml", "name: lab\nvrrp: {router_id: 1}\n", *Agent());
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_TRUE(pair->vips.empty());
  EXPECT_EQ(pair->advert_interval.duration(), absl::Seconds(1));
}

TEST_F(ConfigTest, SaysWhatIsWrongInAgentYaml) {
  struct Case {
    const char* from;
    const char* to;
    const char* error;
  };
  for (const Case& c : {
           Case{"address: 10.0.0.1,", "", "agent.yaml:1: node.address: is missing"},
           Case{"10.0.0.1", "10.0.0.300",
                "agent.yaml:1: node.address: is '10.0.0.300'; expected an IPv4 or IPv6"},
           Case{"10.0.0.1", "10.0.0.1/24",
                "agent.yaml:1: node.address: is '10.0.0.1/24'; expected an IPv4 address without"},
           Case{"10.0.0.2", "10.0.0.1",
                "agent.yaml:2: peer.address: is '10.0.0.1', this node's own"},
           Case{"node2", "node1", "agent.yaml:2: peer.name: is 'node1', this node's own"},
           Case{"eth0", "'eth 0'", "agent.yaml:1: node.interface: is 'eth 0'"},
           Case{"eth0", "averyverylonginterface", "agent.yaml:1: node.interface"},
           Case{"address: 10.0.0.2}", "address: 10.0.0.2, links: [10.0.0.2]}",
                "agent.yaml:2: peer.links[0]: is '10.0.0.2'; expected ADDRESS:PORT"},
           Case{"/usr/bin/echo", "echo",
                "agent.yaml:4: programs[0]: is 'echo'; expected an absolute path"},
       }) {
    const auto agent = Agent(c.from, c.to);
    EXPECT_EQ(agent.status().code(), absl::StatusCode::kInvalidArgument) << c.error;
    EXPECT_THAT(std::string(agent.status().message()), StartsWith(c.error));
  }
}

TEST_F(ConfigTest, NamesACertificateFileThatIsMissing) {
  std::filesystem::remove(directory_ + "/k");
  EXPECT_THAT(std::string(Agent().status().message()),
              StartsWith("agent.yaml:3: tls.key: " + directory_ + "/k: No such file"));
}

TEST_F(ConfigTest, SaysWhatIsWrongInPairYaml) {
  struct Case {
    const char* from;
    const char* to;
    const char* error;
  };
  for (const Case& c : {
           Case{"100ms", "5ms",
                "pair.yaml:2: vrrp.advert_interval: 5ms cannot be carried by VRRPv3; use 10ms to "
                "40.95s"},
           Case{"100ms", "41s", "pair.yaml:2: vrrp.advert_interval: 41s cannot"},
           Case{"51", "256", "pair.yaml:2: vrrp.router_id: is 256; expected 1 to 255"},
           Case{"name: lab", "name: Lab", "pair.yaml:1: name: is 'Lab'"},
           Case{"192.0.2.10/24", "192.0.2.10",
                "pair.yaml:4: vips[0].address: is '192.0.2.10'; expected a prefix length"},
           Case{"192.0.2.10/24", "10.0.0.2/24",
                "pair.yaml:4: vips[0].address: is '10.0.0.2', a node's own"},
           Case{"/etc/haproxy", "/etc",
                "pair.yaml:6: roots[0].path: is '/etc', which holds or lies in the agent's own "
                "/etc/zcluster"},
           Case{"/etc/haproxy", "/var/lib/zcluster/x", "pair.yaml:6: roots[0].path"},
           Case{"/etc/haproxy", "/etc/../x",
                "pair.yaml:6: roots[0].path: is '/etc/../x'; expected an absolute path"},
           Case{"[{path: /etc/haproxy}]", "[{path: /a}, {path: /a/b}]",
                "pair.yaml:6: roots[1].path: is '/a/b', which overlaps with root /a"},
           Case{"{word}", "{world}",
                "pair.yaml:8: commands[0].argv[1]: has '{world}', which is not one of its "
                "arguments: word"},
           Case{"\"{word}\"", "x",
                "pair.yaml:8: commands[0].arguments: has 'word', which argv does not use"},
           Case{"[a-z]+", "[a-z",
                "pair.yaml:8: commands[0].arguments[0].pattern: is not a regular expression"},
           Case{"/usr/bin/echo", "echo",
                "pair.yaml:8: commands[0].argv[0]: is 'echo'; expected an absolute path"},
           Case{"name: lab", "name: lab\nfailback: PREFERRED",
                "pair.yaml:1: preferred: is missing"},
           Case{"name: lab", "name: lab\npreferred: node3",
                "pair.yaml:2: preferred: is 'node3'; expected node1 or node2"},
       }) {
    const auto pair = Pair(c.from, c.to);
    EXPECT_EQ(pair.status().code(), absl::StatusCode::kInvalidArgument) << c.error;
    EXPECT_THAT(std::string(pair.status().message()), StartsWith(c.error));
  }
}

TEST_F(ConfigTest, NamesAFileThatIsNotThere) {
  EXPECT_THAT(std::string(Load(directory_ + "/none.yaml", "").status().message()),
              HasSubstr("/none.yaml"));
}

}  // namespace
}  // namespace zcluster::config
