// SPDX-License-Identifier: Apache-2.0
#include "common/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "zcluster/v1/config.pb.h"

namespace zcluster {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

absl::Status ReadPair(absl::string_view text, v1::PairConfig& config) {
  YamlDocument document;
  return document.Read("pair.yaml", text, config);
}

TEST(Yaml, ReadsEveryKindOfField) {
  v1::PairConfig config;
  ASSERT_TRUE(ReadPair("name: lab\n"
                       "vrrp: {router_id: 51, advert_interval: 100ms}\n"
                       "failback: PREFERRED\n"
                       "conntrack: {replicate: false}\n"
                       "vips:\n"
                       "  - {address: 192.0.2.10/24, interface: front}\n"
                       "roots: [{path: /etc/haproxy, exclude: ['*.tmp', \"*.bak\"]}]\n",
                       config)
                  .ok());
  EXPECT_EQ(config.name(), "lab");
  EXPECT_EQ(config.vrrp().router_id(), 51U);
  EXPECT_EQ(config.vrrp().advert_interval().nanos(), 100'000'000);
  EXPECT_EQ(config.failback(), v1::FAILBACK_PREFERRED);
  EXPECT_TRUE(config.conntrack().has_replicate());
  EXPECT_FALSE(config.conntrack().replicate());
  EXPECT_EQ(config.vips(0).address(), "192.0.2.10/24");
  EXPECT_EQ(config.roots(0).exclude(1), "*.bak");
}

TEST(Yaml, ReadsNumbersOf64Bits) {
  v1::PairConfig config;
  ASSERT_TRUE(ReadPair("generation: 18446744073709551615\nterm: 7\n", config).ok());
  EXPECT_EQ(config.generation(), 18446744073709551615U);
  EXPECT_EQ(config.term(), 7U);
}

TEST(Yaml, ReadsNothingFromAnEmptyDocument) {
  for (const char* text : {"", "\n", "# nothing yet\n", "---\n", "{}\n"}) {
    v1::PairConfig config;
    config.set_name("old");
    const absl::Status status = ReadPair(text, config);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(config.ByteSizeLong(), 0U) << text;
  }
}

struct Case {
  const char* name;
  const char* text;
  const char* error;
};

class YamlRefuses : public testing::TestWithParam<Case> {};

TEST_P(YamlRefuses, AndSaysWhereAndWhatIsExpected) {
  v1::PairConfig config;
  const absl::Status status = ReadPair(GetParam().text, config);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), StartsWith(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, YamlRefuses,
    testing::Values(
        Case{
            "UnknownKey", "name: x\nvrrp:\n  routerid: 3\n",
            "pair.yaml:3: vrrp.routerid: unknown key; expected one of: router_id, advert_interval"},
        Case{"WrongType", "vrrp: {router_id: many}\n",
             "pair.yaml:1: vrrp.router_id: is 'many'; expected a whole number"},
        Case{"Negative", "vrrp: {router_id: -1}\n",
             "pair.yaml:1: vrrp.router_id: is '-1'; expected a whole number"},
        Case{"BadDuration", "vrrp:\n  advert_interval: fast\n",
             "pair.yaml:2: vrrp.advert_interval: is 'fast'; expected a duration"},
        Case{"BadEnum", "failback: SOMETIMES\n",
             "pair.yaml:1: failback: is 'SOMETIMES'; expected KEEP or PREFERRED"},
        Case{"BadBoolean", "conntrack: {replicate: maybe}\n",
             "pair.yaml:1: conntrack.replicate: is 'maybe'; expected true or false"},
        Case{"ListForText", "name: [a]\n", "pair.yaml:1: name: is a list; expected a text"},
        Case{"TextForList", "vips: a\n", "pair.yaml:1: vips: is 'a'; expected a list"},
        Case{"TextForMapping", "vips: [a]\n",
             "pair.yaml:1: vips[0]: is 'a'; expected keys: address"},
        Case{"Twice", "name: a\nname: b\n", "pair.yaml:2: name: is given twice"},
        Case{"NoValue", "name:\n", "pair.yaml:1: name: is nothing; expected a text"},
        Case{"TooLargeANumber", "generation: 18446744073709551616\n",
             "pair.yaml:1: generation: is '18446744073709551616'; expected a whole number"},
        Case{"LineBreakInAValue", "failback: \"A\\nB\"\n",
             "pair.yaml:1: failback: is 'A\\x0AB'; expected"},
        Case{"LineBreakInAKey", "\"a\\nb\": 1\n", "pair.yaml:1: a\\x0Ab: unknown key"},
        Case{"NotUtf8", "name: a\npreferred: \xe4\n", "pair.yaml:2: document: is not UTF-8"},
        Case{"OverlongUtf8", "name: \xc0\xaf\n", "pair.yaml:1: document: is not UTF-8"},
        Case{"SurrogateInUtf8", "name: \xed\xa0\x80\n", "pair.yaml:1: document: is not UTF-8"},
        Case{"BeyondUnicode", "name: \xf4\x90\x80\x80\n", "pair.yaml:1: document: is not UTF-8"},
        Case{"CutUtf8", "name: \xe2\x82", "pair.yaml:1: document: is not UTF-8"},
        Case{"NotYaml", "name: [a\nb: }\n", "pair.yaml:2: document: is not YAML"},
        Case{"TwoDocuments", "name: a\n---\nname: b\n",
             "pair.yaml:3: document: a second document"}),
    [](const testing::TestParamInfo<Case>& each) { return each.param.name; });

TEST(Yaml, NamesTheLineOfAFieldThatIsWrongForAnotherReason) {
  v1::PairConfig config;
  YamlDocument document;
  ASSERT_TRUE(document.Read("f", "name: x\nvips:\n  - address: 1\n  - address: 2\n", config).ok());
  EXPECT_THAT(document.ErrorAt("vips[1].address", "is odd").ToString(),
              HasSubstr("f:4: vips[1].address: is odd"));
  EXPECT_THAT(document.ErrorAt("vips[1].interface", "is missing").ToString(),
              HasSubstr("f:4: vips[1].interface"));
  EXPECT_THAT(document.ErrorAt("vrrp.router_id", "is missing").ToString(),
              HasSubstr("f:1: vrrp.router_id"));
}

}  // namespace
}  // namespace zcluster
