// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace zcluster::ctl {
namespace {

TEST(Json, NestsWhatItIsGiven) {
  const Json json = Json::Object({{"a", Json::Number(1)},
                                  {"b", Json::List({Json::Bool(true), Json::Null()})},
                                  {"c", Json::Object({})},
                                  {"d", Json::Strings({"x", "y"})}});
  EXPECT_EQ(json.text(), R"({"a": 1, "b": [true, null], "c": {}, "d": ["x", "y"]})");
}

TEST(Json, EscapesWhatJsonAndTerminalsDemand) {
  EXPECT_EQ(Json::String("q\" b\\ \n\t\r \x01 \x7f \xc2\x9b \xe2\x80\xae").text(),
            R"("q\" b\\ \n\t\r \u0001 \u007f \u009b \u202e")");
  EXPECT_EQ(Json::String("\xc3\xa9 \xf0\x9f\x98\x80").text(), "\"\xc3\xa9 \xf0\x9f\x98\x80\"");
}

TEST(Json, IsUtf8WhateverItIsGiven) {
  EXPECT_EQ(Json::String("a\xff").text(), "\"a\xef\xbf\xbd\"");
  EXPECT_EQ(Json::String(absl::string_view("\0", 1)).text(), R"("\u0000")");
}

TEST(Json, KeepsNumbersExact) {
  EXPECT_EQ(Json::Number(std::numeric_limits<uint64_t>::max()).text(), "18446744073709551615");
  EXPECT_EQ(Json::Integer(-1).text(), "-1");
  EXPECT_EQ(Json::Milliseconds(absl::Microseconds(12500)).text(), "12.5");
  EXPECT_EQ(Json::Milliseconds(absl::ZeroDuration()).text(), "0");
  EXPECT_EQ(Json::Seconds(absl::Seconds(100)).text(), "100");
  EXPECT_EQ(Json::Seconds(absl::InfiniteDuration()).text(), "null");
}

TEST(Json, TimesAreInUtc) {
  EXPECT_EQ(Json::Time(absl::FromUnixSeconds(1767225600)).text(), "\"2026-01-01T00:00:00Z\"");
  EXPECT_EQ(Json::Time(absl::InfiniteFuture()).text(), "null");
}

}  // namespace
}  // namespace zcluster::ctl
