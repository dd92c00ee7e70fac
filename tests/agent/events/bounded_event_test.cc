// SPDX-License-Identifier: Apache-2.0
#include "agent/events/bounded_event.h"

#include <gtest/gtest.h>

#include <string>

namespace zcluster::events {
namespace {

TEST(BoundedEvent, HasWhatTheLogHas) {
  const v1::Event event =
      BoundedEvent({"promoted", {{"term", "8"}, {"cause", "advert_timeout"}}, true},
                   absl::FromUnixMillis(1700000000123));
  EXPECT_EQ(event.number(), 0U);
  EXPECT_EQ(event.at().seconds(), 1700000000);
  EXPECT_EQ(event.at().nanos(), 123000000);
  EXPECT_EQ(event.name(), "promoted");
  EXPECT_TRUE(event.warning());
  ASSERT_EQ(event.fields_size(), 2);
  EXPECT_EQ(event.fields(1).name(), "cause");
  EXPECT_EQ(event.fields(1).value(), "advert_timeout");
}

TEST(BoundedEvent, CutsWhatIsTooLong) {
  core::LogDecision decision{std::string(65, 'n'), {}, false};
  for (int i = 0; i < 33; ++i) decision.fields.emplace_back("field", std::string(1024, 'v'));
  decision.fields[1].second += "w";
  const v1::Event event = BoundedEvent(decision, absl::Now());
  EXPECT_EQ(event.name(), std::string(61, 'n') + "…");
  ASSERT_EQ(event.fields_size(), 32);
  EXPECT_EQ(event.fields(0).value(), std::string(1024, 'v'));
  EXPECT_EQ(event.fields(1).value(), std::string(1021, 'v') + "…");
}

TEST(BoundedEvent, WritesWhatIsNotPrintableAsNumbers) {
  const v1::Event event = BoundedEvent(
      {"a\nb", {{"k", std::string("\x1b[2J\0\xff\xe2\x80\xae", 9)}}, false}, absl::Now());
  EXPECT_EQ(event.name(), "a\\x0ab");
  EXPECT_EQ(event.fields(0).value(), "\\x1b[2J\\x00\\xff\\xe2\\x80\\xae");
}

TEST(BoundedEvent, NeverCutsThroughANumber) {
  for (size_t length = 1000; length < 1030; ++length) {
    const v1::Event event = BoundedEvent(
        {"e", {{"k", std::string(length, 'v') + std::string(9, '\n')}}, false}, absl::Now());
    const std::string& value = event.fields(0).value();
    EXPECT_LE(value.size(), 1024U);
    EXPECT_GE(value.size(), 1018U);
    const size_t last = value.rfind('\\');
    if (last == std::string::npos) continue;
    EXPECT_EQ(value.substr(last, 4), "\\x0a") << length;
  }
}

}  // namespace
}  // namespace zcluster::events
