// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/yaml.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace zcluster::ctl {
namespace {

std::string Rendered(const std::string& text) { return Yaml(Json::String(text)); }

TEST(Yaml, IsInBlockStyle) {
  const Json json =
      Json::Object({{"pair", Json::String("main")},
                    {"generation", Json::Number(7)},
                    {"ready", Json::Bool(true)},
                    {"preferred", Json::Null()},
                    {"none", Json::List({})},
                    {"nothing", Json::Object({})},
                    {"names", Json::Strings({"a", "b"})},
                    {"vips", Json::List({Json::Object({{"address", Json::String("192.0.2.10/24")},
                                                       {"held", Json::Bool(false)}}),
                                         Json::Object({{"deep", Json::Strings({"x"})}})})},
                    {"link", Json::Object({{"up", Json::Bool(true)}})}});
  EXPECT_EQ(Yaml(json),
            "pair: main\n"
            "generation: 7\n"
            "ready: true\n"
            "preferred: null\n"
            "none: []\n"
            "nothing: {}\n"
            "names:\n"
            "  - a\n"
            "  - b\n"
            "vips:\n"
            "  - address: 192.0.2.10/24\n"
            "    held: false\n"
            "  - deep:\n"
            "      - x\n"
            "link:\n"
            "  up: true\n");
}

TEST(Yaml, ListsOfListsKeepTheirShape) {
  const Json json = Json::List({Json::Strings({"a", "b"}), Json::Strings({"c"})});
  EXPECT_EQ(Yaml(json), "- - a\n  - b\n- - c\n");
}

TEST(Yaml, QuotesOnlyWhatIsAmbiguous) {
  for (const char* plain :
       {"main", "node1", "192.0.2.10/24", "192.0.2.1", "0.1.0", "100ms", "1h30m", "12d4h",
        "/etc/haproxy", "master since term 8", "h\xc3\xa9t\xc3\xa9", "it's \"so\"", "a:b"}) {
    EXPECT_EQ(Rendered(plain), std::string(plain) + "\n");
  }
  for (const char* quoted :
       {"",           "null", "Null",     "~",     "true", "FALSE",      "yes", "No",    "on",
        "OFF",        "y",    "N",        "1",     "-1",   "1.5",        "1e3", "0x1f",  "0o17",
        ".5",         ".inf", "1_000",    "12:30", "1:2",  "=",          "<<",  "- a",   "-",
        "2026-01-01", "# a",  "a #b",     "a: b",  "a:",   " a",         "a ",  "*a",    "&a",
        "!a",         "{a}",  "[a]",      "@a",    "`a",   "%a",         "'a'", "\"a\"", "|",
        ">",          "?",    "3f2a91c0", "1.",    "?a",   "2001:db8::1"}) {
    EXPECT_EQ(Rendered(quoted), Quoted(quoted) + "\n");
  }
}

TEST(Yaml, LinesBecomeABlock) {
  const Json json = Json::Object(
      {{"key", Json::String("one\n two\n\nthree\n")}, {"open", Json::String("one\ntwo")}});
  EXPECT_EQ(Yaml(json), "key: |\n  one\n   two\n\n  three\nopen: |-\n  one\n  two\n");
}

// What another's reader makes of it.
TEST(Yaml, MeansWhatItIsMadeFrom) {
  for (const std::string text : {"a",
                                 "true",
                                 "1",
                                 "a\nb",
                                 "a\n",
                                 "\n",
                                 "\na\n",
                                 " a\nb",
                                 "a\n\n",
                                 "\x1b[2J",
                                 "\xc2\x9b",
                                 "a\tb",
                                 "\ta\nb",
                                 "a\rb",
                                 "- a\n- b\n",
                                 "\"",
                                 "\\",
                                 "\xe2\x80\xa8",
                                 "\xef\xbb\xbf"
                                 "a",
                                 "a\n\x07",
                                 "key: value",
                                 "#"}) {
    const YAML::Node document = YAML::Load(
        Yaml(Json::Object({{"key", Json::String(text)}, {text, Json::Strings({text, "b"})}})));
    EXPECT_EQ(document["key"].Scalar(), text);
    EXPECT_EQ(document[text][0].Scalar(), text);
    EXPECT_EQ(document[text][1].Scalar(), "b");
  }
}

TEST(Yaml, NoTextSteersTheTerminal) { EXPECT_EQ(Rendered("\x1b[2J\n"), "\"\\u001b[2J\\n\"\n"); }

}  // namespace
}  // namespace zcluster::ctl
