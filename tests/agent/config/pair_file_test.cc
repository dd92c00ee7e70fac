// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "common/yaml.h"
#include "tests/agent/config/files.h"
#include "zcluster/v1/config.pb.h"

namespace zcluster::config {
namespace {

using PairFileTest = ConfigTest;

TEST_F(PairFileTest, FillsInWhatWasLeftOut) {
  const auto pair = Pair();
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->failback, core::Failback::kKeep);
  EXPECT_TRUE(pair->replicate_conntrack);
  EXPECT_FALSE(pair->replicate_labels);
  EXPECT_EQ(pair->advert_interval.duration(), absl::Milliseconds(100));
  EXPECT_EQ(pair->vips[1].WithPrefix(), "2001:db8::10/64");
  EXPECT_EQ(pair->commands[0].timeout, absl::Seconds(30));
  EXPECT_EQ(pair->generation, 0U);
  EXPECT_EQ(pair->term, 0U);
}

TEST_F(PairFileTest, LeavesToTheNodeWhichInterfaceCarriesAVip) {
  const auto pair = Pair();
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->vips[0].interface, "front");
  EXPECT_EQ(pair->vips[1].interface, "");
}

TEST_F(PairFileTest, ReadsWhoMayReachThePair) {
  const auto pair = Pair();
  ASSERT_TRUE(pair.ok()) << pair.status();
  ASSERT_EQ(pair->operators.size(), 1U);
  EXPECT_EQ(pair->operators[0].name, "anna");
  EXPECT_EQ(pair->operators[0].role, access::Right::kAdmin);
  EXPECT_EQ(pair->operators[0].key, "SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDE+/");
  EXPECT_EQ(Pair("ADMIN", "OPERATOR")->operators[0].role, access::Right::kOperator);
  EXPECT_EQ(Pair("ADMIN", "VIEWER")->operators[0].role, access::Right::kViewer);
}

TEST_F(PairFileTest, ReadsWhichConfigurationItIs) {
  const auto pair = Pair("name: lab", "generation: 12\nterm: 18446744073709551615\nname: lab");
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->generation, 12U);
  EXPECT_EQ(pair->term, 18446744073709551615U);
}

TEST_F(PairFileTest, ReplicatesLabelsWhenAskedTo) {
  const auto pair = Pair("name: lab", "name: lab\nconntrack: {labels: true}");
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_TRUE(pair->replicate_labels);
  EXPECT_TRUE(pair->replicate_conntrack);
}

TEST_F(PairFileTest, LetsAPairBeWithoutVip) {
  const auto pair = ParsePair("pair.yaml", "name: lab\nvrrp: {router_id: 1}\n", *Agent());
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_TRUE(pair->vips.empty());
  EXPECT_EQ(pair->advert_interval.duration(), absl::Seconds(1));
}

TEST_F(PairFileTest, ReadsWhereAdvertsGo) {
  EXPECT_FALSE(Pair()->multicast);
  const auto pair =
      ParsePair("pair.yaml", "name: lab\nvrrp: {router_id: 1, multicast: true}\n", *Agent());
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_TRUE(pair->multicast);
}

TEST_F(PairFileTest, GivesTheMessageAsItStandsThere) {
  const auto file = ReadPairFile("pair.yaml", kPair, *Agent());
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->vips(1).address(), "2001:DB8:0::10/64");
  EXPECT_FALSE(file->has_conntrack());
  const auto again = ReadPairFile("pair.yaml", WriteYaml(*file), *Agent());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), file->SerializeAsString());
}

TEST_F(PairFileTest, GivesNoMessageThatIsWrong) {
  ExpectRefused(ReadPairFile("pair.yaml", "name: lab\n", *Agent()),
                "pair.yaml:1: vrrp.router_id: is missing");
}

TEST_F(PairFileTest, SaysWhatIsWrong) {
  for (const Case& c : {
           Case{"100ms", "5ms",
                "pair.yaml:2: vrrp.advert_interval: 5ms cannot be carried by VRRPv3; use 10ms to "
                "40.95s"},
           Case{"100ms", "41s", "pair.yaml:2: vrrp.advert_interval: 41s cannot"},
           Case{"51", "256", "pair.yaml:2: vrrp.router_id: is 256; expected 1 to 255"},
           Case{"name: lab", "", "pair.yaml:1: name: is missing"},
           Case{"name: lab", "name: Lab", "pair.yaml:1: name: is 'Lab'"},
           Case{"192.0.2.10/24", "192.0.2.10",
                "pair.yaml:4: vips[0].address: is '192.0.2.10'; expected a prefix length"},
           Case{"192.0.2.10/24", "192.0.2.10/0",
                "pair.yaml:4: vips[0].address: is '192.0.2.10/0'; expected a prefix length from 1"},
           Case{"192.0.2.10/24", "192.0.2.10/33", "pair.yaml:4: vips[0].address"},
           Case{"192.0.2.10/24", "10.0.0.2/24",
                "pair.yaml:4: vips[0].address: is '10.0.0.2', a node's own"},
           Case{"192.0.2.10/24", "\"2001:db8::10/64\"",
                "pair.yaml:5: vips[1].address: is '2001:db8::10', given twice"},
           Case{"192.0.2.10/24", "0.0.0.0/24",
                "pair.yaml:4: vips[0].address: is '0.0.0.0'; expected an address that one node"},
           Case{"192.0.2.10/24", "255.255.255.255/32", "pair.yaml:4: vips[0].address"},
           Case{"192.0.2.10/24", "\"::1/128\"", "pair.yaml:4: vips[0].address: is '::1'"},
           Case{"192.0.2.10/24", "\"ff02::12/64\"", "pair.yaml:4: vips[0].address: is 'ff02::12'"},
           Case{"/etc/haproxy", "/etc",
                "pair.yaml:6: roots[0].path: is '/etc', which holds or lies in the agent's own "
                "/etc/zcluster"},
           Case{"/etc/haproxy", "/var/lib/zcluster/x", "pair.yaml:6: roots[0].path"},
           Case{"/etc/haproxy", "/etc/../x",
                "pair.yaml:6: roots[0].path: is '/etc/../x'; expected an absolute path"},
           Case{"[{path: /etc/haproxy, exclude: [\"*.tmp\"]}]", "[{path: /a}, {path: /a/b}]",
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
           Case{"name: anna, ", "", "pair.yaml:10: operators[0].name: is missing"},
           Case{"role: ADMIN, ", "",
                "pair.yaml:10: operators[0].role: is missing; expected VIEWER, OPERATOR or ADMIN"},
           Case{"ADMIN", "ROOT",
                "pair.yaml:10: operators[0].role: is 'ROOT'; expected VIEWER or OPERATOR or ADMIN"},
           Case{", key: \"SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDE+/\"", "",
                "pair.yaml:10: operators[0].key: is missing"},
           Case{"SHA256:0", "SHA256:00",
                "pair.yaml:10: operators[0].key: is 'SHA256:00123456789abcdefghijklmnopqrstuvwxyz"
                "ABCDE+/'; expected SHA256: and 43 characters of base64"},
           Case{"SHA256:", "MD5:", "pair.yaml:10: operators[0].key: is 'MD5:"},
           Case{"+/", "+=", "pair.yaml:10: operators[0].key: is 'SHA256:"},
       }) {
    ExpectRefused(Pair(c.from, c.to), c.error);
  }
}

TEST_F(PairFileTest, NamesWhatIsGivenTwice) {
  const std::string anna =
      "  - {name: anna, role: VIEWER, key: \"SHA256:" + std::string(43, 'A') + "\"}\n";
  ExpectRefused(ParsePair("pair.yaml", kPair + anna, *Agent()),
                "pair.yaml:11: operators[1].name: is 'anna', given twice");
}

TEST_F(PairFileTest, ReadsWhichBackendsBothNodesMustReach) {
  const std::string text =
      absl::StrCat(kPair, "backends: [\"10.20.0.10:80\", \"[fd20::1]:443\"]\n");
  const auto pair = ParsePair("pair.yaml", text, *Agent());
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->backends, (std::vector<std::string>{"10.20.0.10:80", "[fd20::1]:443"}));
  ExpectRefused(ParsePair("pair.yaml", absl::StrCat(kPair, "backends: [web]\n"), *Agent()),
                "pair.yaml:11: backends[0]: is 'web'");
  ExpectRefused(
      ParsePair("pair.yaml", absl::StrCat(kPair, "backends: [\"1.1.1.1:1\", \"1.1.1.1:1\"]\n"),
                *Agent()),
      "pair.yaml:11: backends[1]: is '1.1.1.1:1', given twice");
  std::string many = absl::StrCat(kPair, "backends:\n");
  for (int i = 1; i <= 33; ++i) absl::StrAppend(&many, "  - 10.0.0.1:", i, "\n");
  ExpectRefused(ParsePair("pair.yaml", many, *Agent()), "pair.yaml:11: backends: has more than 32");
}

TEST_F(PairFileTest, TakesNoMoreThanItsBounds) {
  std::string text = kPair;
  for (int i = 0; i < 255; ++i) {
    absl::StrAppend(&text, "  - {name: o", i,
                    ", role: VIEWER, key: \"SHA256:", std::string(43, 'A'), "\"}\n");
  }
  const auto all = ParsePair("pair.yaml", text, *Agent());
  EXPECT_TRUE(all.ok()) << all.status();
  absl::StrAppend(&text, "  - {name: last, role: VIEWER, key: \"SHA256:", std::string(43, 'A'),
                  "\"}\n");
  ExpectRefused(ParsePair("pair.yaml", text, *Agent()),
                "pair.yaml:9: operators: has more than 256");
}

// These values stand in keepalived's and nftables' configuration, in argv, in lines for people.
TEST_F(PairFileTest, LetsNoTextIntoTheConfigurationOfOthers) {
  for (const Case& c : {
           Case{"name: lab", "name: \"lab\\n}\"", "pair.yaml:1: name: is 'lab\\x0A}'"},
           Case{"name: lab", "name: \"lab{\"", "pair.yaml:1: name: is 'lab{'"},
           Case{"name: lab", "name: lab\npreferred: \"a\\nb\"",
                "pair.yaml:2: preferred: is 'a\\x0Ab'"},
           Case{"192.0.2.10/24", "\"192.0.2.10/24\\n}\"",
                "pair.yaml:4: vips[0].address: is '192.0.2.10/24\\x0A}'"},
           Case{"192.0.2.10/24", "\"192.0.2.10\\0}/24\"",
                "pair.yaml:4: vips[0].address: is '192.0.2.10\\x00}/24'"},
           Case{"192.0.2.10/24", "192.0.2.10/+24",
                "pair.yaml:4: vips[0].address: is '192.0.2.10/+24'"},
           Case{"192.0.2.10/24", "192.0.2.10/ 24",
                "pair.yaml:4: vips[0].address: is '192.0.2.10/ 24'"},
           Case{"front", "\"front\\n}\"", "pair.yaml:4: vips[0].interface: is 'front\\x0A}'"},
           Case{"front", "\"front }\"", "pair.yaml:4: vips[0].interface: is 'front }'"},
           Case{"front", "\"{front\"", "pair.yaml:4: vips[0].interface: is '{front'"},
           Case{"front", "\"fr\\0ont\"", "pair.yaml:4: vips[0].interface: is 'fr\\x00ont'"},
           Case{"/etc/haproxy", "\"/etc/haproxy\\n\"",
                "pair.yaml:6: roots[0].path: is '/etc/haproxy\\x0A'; expected a text without"},
           Case{"*.tmp", "*\\t.tmp",
                "pair.yaml:6: roots[0].exclude[0]: is '*\\x09.tmp'; expected a text without"},
           Case{"name: say", "name: \"say\\n\"",
                "pair.yaml:8: commands[0].name: is 'say\\x0A'; expected lower-case letters"},
           Case{"name: say", "name: \"say{\"", "pair.yaml:8: commands[0].name: is 'say{'"},
           Case{"Says", "\"Says\\nmore\"",
                "pair.yaml:8: commands[0].summary: is 'Says\\x0Amore'; expected a text without"},
           Case{"/usr/bin/echo", "\"/usr/bin/echo\\r\"",
                "pair.yaml:8: commands[0].argv[0]: is '/usr/bin/echo\\x0D'"},
           Case{"{word}", "{word}\\0x",
                "pair.yaml:8: commands[0].argv[1]: is '{word}\\x00x'; expected a text without"},
           Case{"{word}", "{word\\n}", "pair.yaml:8: commands[0].argv[1]: is '{word\\x0A}'"},
           Case{"name: word", "name: \"wo}rd\"",
                "pair.yaml:8: commands[0].arguments[0].name: is 'wo}rd'"},
           Case{"[a-z]+", "[a-z]+\\n",
                "pair.yaml:8: commands[0].arguments[0].pattern: is '[a-z]+\\x0A'"},
           Case{"name: anna", "name: \"anna\\n}\"",
                "pair.yaml:10: operators[0].name: is 'anna\\x0A}'; expected a host name"},
           Case{"name: anna", "name: \"../node\"", "pair.yaml:10: operators[0].name: is '../node'"},
           Case{"+/", "+\\n", "pair.yaml:10: operators[0].key: is 'SHA256:"},
       }) {
    ExpectRefused(Pair(c.from, c.to), c.error);
  }
}

}  // namespace
}  // namespace zcluster::config
