// SPDX-License-Identifier: Apache-2.0
#include "common/console/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/promtool.h"

namespace zcluster::http_console {
namespace {

using testing::HasSubstr;

TEST(Metrics, AreWrittenAsPrometheusReadsThem) {
  Metrics metrics;
  metrics.Gauge("zcluster_link_up", "Whether the peer is connected", 1);
  metrics.Counter("zcluster_promotions_total", "Times that this node became master", 12345678901);
  metrics.State("zcluster_role", "What this node is", "role", {"MASTER", "BACKUP"}, "BACKUP");
  EXPECT_EQ(metrics.Text(),
            "# HELP zcluster_link_up Whether the peer is connected\n"
            "# TYPE zcluster_link_up gauge\n"
            "zcluster_link_up 1\n"
            "# HELP zcluster_promotions_total Times that this node became master\n"
            "# TYPE zcluster_promotions_total counter\n"
            "zcluster_promotions_total 12345678901\n"
            "# HELP zcluster_role What this node is\n"
            "# TYPE zcluster_role gauge\n"
            "zcluster_role{role=\"MASTER\"} 0\n"
            "zcluster_role{role=\"BACKUP\"} 1\n");
}

TEST(Metrics, AValueOfALabelMayBeAnything) {
  Metrics metrics;
  metrics.Gauge("zcluster_entries", "Files", 1, {{"path", "/a\nb\"c\\d} 2\n# TYPE"}});
  metrics.Gauge("zcluster_entries", "Files", 2, {{"path", "/caf\xC3\xA9 \xF0\x9F\x98\x80"}});
  metrics.Gauge("zcluster_entries", "Files", 3, {{"path", std::string("/nul\0l", 6)}});
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("{path=\"/a\\nb\\\"c\\\\d} 2\\n# TYPE\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("{path=\"/caf\xC3\xA9 \xF0\x9F\x98\x80\"} 2\n"));
  EXPECT_TRUE(test::PromtoolAccepts("check metrics", text));
}

// Prometheus refuses a whole page for one byte that is no UTF-8.
TEST(Metrics, BytesThatAreNoTextAreSpeltOut) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\xFF", "\\\\xFF"},                                   // never in UTF-8
      {"a\x80", "a\\\\x80"},                                 // the middle of a character
      {"\xC3", "\\\\xC3"},                                   // the beginning of one
      {"\xC0\xAF", "\\\\xC0\\\\xAF"},                        // a slash, too long
      {"\xE0\x80\xAF", "\\\\xE0\\\\x80\\\\xAF"},             // longer still
      {"\xED\xA0\x80", "\\\\xED\\\\xA0\\\\x80"},             // half a UTF-16 character
      {"\xF4\x90\x80\x80", "\\\\xF4\\\\x90\\\\x80\\\\x80"},  // beyond Unicode
  };
  for (const auto& [value, written] : cases) {
    Metrics metrics;
    metrics.Gauge("zcluster_entries", "Files", 1, {{"path", value}});
    EXPECT_THAT(metrics.Text(), HasSubstr("{path=\"" + written + "\"} 1\n"));
    EXPECT_TRUE(test::PromtoolAccepts("check metrics", metrics.Text()));
  }
}

TEST(MetricsDeathTest, AHelpThatWouldBeginALineOfItsOwnIsOurBug) {
  Metrics metrics;
  EXPECT_DEATH(metrics.Gauge("zcluster_x", "two\nlines", 1), "check_failed");
  EXPECT_DEATH(metrics.Counter("zcluster_x", "A counter by another name", 1), "check_failed");
}

}  // namespace
}  // namespace zcluster::http_console
