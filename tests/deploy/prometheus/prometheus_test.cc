// SPDX-License-Identifier: Apache-2.0
// What operators copy must work: the configuration and the alerts, checked by promtool, and the
// names in the alerts, which must be those that the daemons serve.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/console/snapshot.h"
#include "common/console/process_metrics.h"
#include "common/file.h"
#include "controller/console/console.h"
#include "tests/support/http_client.h"
#include "tests/support/loop_thread.h"
#include "tests/support/promtool.h"

namespace zcluster {
namespace {

const std::string& Alerts() {
  static const auto* text =
      new std::string(ReadFile(std::string(ZC_SOURCE) + "/deploy/prometheus/alerts.yml").value());
  return *text;
}

// Both daemons' pages, with every series.
std::string Pages() {
  console::Snapshot snapshot;
  snapshot.member = console::Member{.pair = "main", .node = "lb1", .address = "", .peer = "lb2"};
  snapshot.view.conntrack.synchronised = true;
  snapshot.view.roots.push_back({"/etc/haproxy", "", "", 0, ""});
  test::LoopThread loop;
  std::unique_ptr<http_console::HttpConsole> http;
  int port = 0;
  loop.Do([&] {
    http = std::make_unique<http_console::HttpConsole>(
        loop.loop(),
        http_console::Options{.program = "both", .version = "1", .listen = "127.0.0.1:0"},
        http_console::Content{[&](http_console::Metrics& metrics) {
                                console::Measure(snapshot, metrics);
                                controller::Measure(controller::Figures(), metrics);
                              },
                              [] { return std::vector<std::string>(); }});
    port = http->port();
  });
  std::string pages = test::BodyOf(test::Ask(port, "GET", "/metrics"));
  loop.Do([&] { http.reset(); });
  return pages;
}

TEST(Prometheus, ConfigurationIsGood) {
  EXPECT_TRUE(test::PromtoolAccepts(
      absl::StrCat("check config ", ZC_SOURCE, "/deploy/prometheus/prometheus.yml")));
}

TEST(Prometheus, AlertsAreGood) {
  EXPECT_TRUE(test::PromtoolAccepts(
      absl::StrCat("check rules ", ZC_SOURCE, "/deploy/prometheus/alerts.yml")));
}

TEST(Prometheus, AlertsFireWhenTheyShouldAndOnlyThen) {
  EXPECT_TRUE(test::PromtoolAccepts(
      absl::StrCat("test rules ", ZC_SOURCE, "/tests/deploy/prometheus/alerts_test.yml")));
}

TEST(Prometheus, BothPagesInOneHaveNoNameTwice) {
  EXPECT_TRUE(test::PromtoolAccepts("check metrics", Pages()));
}

TEST(Prometheus, AlertsAreAboutMetricsThatTheDaemonsServe) {
  std::set<std::string> names;
  const std::string& text = Alerts();
  for (const std::string prefix : {"zcluster_", "process_"}) {
    for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + 1)) {
      // Not within another word, such as a recorded series' name.
      if (at > 0 && (text[at - 1] == ':' || std::isalpha(text[at - 1]) != 0)) continue;
      size_t end = at;
      while (std::isalnum(text[end]) != 0 || text[end] == '_') ++end;
      names.insert(text.substr(at, end - at));
    }
  }
  EXPECT_GT(names.size(), 10U);
  const std::string pages = Pages();
  for (const std::string& name : names) {
    EXPECT_TRUE(absl::StrContains(pages, absl::StrCat("# TYPE ", name, " ")))
        << "alerts.yml uses " << name << ", which nobody serves";
  }
}

}  // namespace
}  // namespace zcluster
