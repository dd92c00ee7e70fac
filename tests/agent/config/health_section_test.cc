// SPDX-License-Identifier: Apache-2.0
#include "agent/config/health_section.h"

#include "absl/strings/str_cat.h"
#include "tests/agent/config/files.h"

namespace zcluster::config {
namespace {

using testing::ElementsAre;

// The section begins at line 11.
constexpr char kHealth[] = R"(health:
  interfaces: [front, back]
  gateways: [10.10.0.254, "FD10:0::1"]
  check:
    command: [/usr/bin/echo, all is well]
    interval: 500ms
    timeout: 200ms
    rise: 1
    fall: 4
)";

class HealthSectionTest : public ConfigTest {
 protected:
  absl::StatusOr<PairSettings> With(absl::string_view health) const {
    return ParsePair("pair.yaml", absl::StrCat(kPair, health), *Agent());
  }
};

TEST_F(HealthSectionTest, MayBeAbsent) {
  const auto pair = Pair();
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_TRUE(pair->health.interfaces.empty());
  EXPECT_TRUE(pair->health.gateways.empty());
  EXPECT_FALSE(pair->health.check);
}

TEST_F(HealthSectionTest, IsReadAsItStands) {
  const auto pair = With(kHealth);
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_THAT(pair->health.interfaces, ElementsAre("front", "back"));
  EXPECT_THAT(pair->health.gateways, ElementsAre("10.10.0.254", "fd10::1"));
  ASSERT_TRUE(pair->health.check);
  EXPECT_THAT(pair->health.check->command, ElementsAre("/usr/bin/echo", "all is well"));
  EXPECT_EQ(pair->health.check->interval, absl::Milliseconds(500));
  EXPECT_EQ(pair->health.check->timeout, absl::Milliseconds(200));
  EXPECT_EQ(pair->health.check->rise, 1);
  EXPECT_EQ(pair->health.check->fall, 4);
}

TEST_F(HealthSectionTest, FillsInWhatTheCheckLeavesOut) {
  const auto pair = With("health: {check: {command: [/usr/bin/true]}}\n");
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->health.check->interval, absl::Seconds(2));
  EXPECT_EQ(pair->health.check->timeout, absl::Seconds(1));
  EXPECT_EQ(pair->health.check->rise, 2);
  EXPECT_EQ(pair->health.check->fall, 3);
}

TEST_F(HealthSectionTest, ACheckThatRunsOftenTimesOutSooner) {
  const auto pair = With("health: {check: {command: [/usr/bin/true], interval: 400ms}}\n");
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->health.check->timeout, absl::Milliseconds(400));
}

TEST_F(HealthSectionTest, SaysWhatIsWrong) {
  for (const Case& c : {
           Case{"[front, back]", "[front, \"a b\"]",
                "pair.yaml:12: health.interfaces[1]: is 'a b'; expected the name of a network"},
           Case{"[front, back]", "[front, front]",
                "pair.yaml:12: health.interfaces[1]: is 'front', given twice"},
           Case{"[front, back]", "[a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]",
                "pair.yaml:12: health.interfaces: has more than 16"},
           Case{"10.10.0.254,", "gateway,", "pair.yaml:13: health.gateways[0]: is 'gateway'"},
           Case{"10.10.0.254,", "10.10.0.254/24,",
                "pair.yaml:13: health.gateways[0]: is '10.10.0.254/24'; expected an address "
                "without prefix length"},
           Case{"10.10.0.254,", "224.0.0.1,", "pair.yaml:13: health.gateways[0]: is '224.0.0.1'"},
           Case{"10.10.0.254,", "\"fe80::1\",",
                "pair.yaml:13: health.gateways[0]: is 'fe80::1', which is of one wire alone"},
           Case{"10.10.0.254,", "\"fd10::0:1\",",
                "pair.yaml:13: health.gateways[1]: is 'fd10::1', given twice"},
           Case{"10.10.0.254,", "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,",
                "pair.yaml:13: health.gateways: has more than 8"},
           Case{"    command: [/usr/bin/echo, all is well]\n", "",
                "pair.yaml:14: health.check.command: is missing"},
           Case{"/usr/bin/echo", "echo",
                "pair.yaml:15: health.check.command[0]: is 'echo'; expected an absolute path"},
           Case{"500ms", "100ms",
                "pair.yaml:16: health.check.interval: is 100ms; expected 200ms to 10m"},
           Case{"500ms", "11m",
                "pair.yaml:16: health.check.interval: is 11m; expected 200ms to 10m"},
           Case{"200ms", "501ms",
                "pair.yaml:17: health.check.timeout: is 501ms; expected 50ms to the interval, "
                "500ms"},
           Case{"200ms", "10ms", "pair.yaml:17: health.check.timeout: is 10ms; expected 50ms"},
           Case{"rise: 1", "rise: 0", "pair.yaml:18: health.check.rise: is 0; expected 1 to 100"},
           Case{"fall: 4", "fall: 101",
                "pair.yaml:19: health.check.fall: is 101; expected 1 to 100"},
           Case{"fall: 4", "falls: 4", "pair.yaml:19: health.check.falls: "},
       }) {
    ExpectRefused(With(absl::StrReplaceAll(kHealth, {{c.from, c.to}})), c.error);
  }
}

}  // namespace
}  // namespace zcluster::config
