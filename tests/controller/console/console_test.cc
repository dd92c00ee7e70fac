// SPDX-License-Identifier: Apache-2.0
#include "controller/console/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/http_client.h"
#include "tests/support/loop_thread.h"
#include "tests/support/promtool.h"

namespace zcluster::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// Whatever the page can show, each figure another.
Figures Full() {
  Figures f;
  f.pairs = {{v1::STATUS_GREEN, 900}, {v1::STATUS_RED, 20}, {v1::STATUS_ORANGE, 3}};
  f.pairs_ready = 899;
  f.agents_enrolled = 1846;
  f.agents_connected = 1845;
  f.streams_accepted = 2001;
  f.streams_refused = 11;
  f.streams_stuck = 12;
  f.messages = 123456;
  f.throttled = 13;
  f.events_taken = 4321;
  f.events_lost = 14;
  f.requests = 15;
  f.requests_failed = 16;
  f.events_stored = 4000;
  f.watchers = 17;
  return f;
}

std::string Text(const Figures& figures) {
  http_console::Metrics metrics;
  Measure(figures, metrics);
  return metrics.Text();
}

TEST(ControllerConsole, SaysAllThatIsKnown) {
  const std::string text = "\n" + Text(Full());
  for (const char* line :
       {"pairs{status=\"GREEN\"} 900", "pairs{status=\"RED\"} 20", "pairs{status=\"ORANGE\"} 3",
        "pairs{status=\"GREY\"} 0", "pairs_ready 899", "agents_enrolled 1846",
        "agents_connected 1845", "streams_accepted_total 2001", "streams_refused_total 11",
        "streams_stuck_total 12", "messages_total 123456", "throttled_total 13",
        "events_taken_total 4321", "events_lost_total 14", "requests_total 15",
        "requests_failed_total 16", "events_stored 4000", "watchers 17", "store_healthy 1"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("\nzcluster_controller_", line, "\n")));
  }
}

TEST(ControllerConsole, PromtoolFindsNothingWrong) {
  EXPECT_TRUE(test::PromtoolAccepts("check metrics", Text(Full())));
  EXPECT_TRUE(test::PromtoolAccepts("check metrics", Text(Figures())));
}

TEST(ControllerConsole, CountsAColourThatItDoesNotKnowAsGrey) {
  Figures f;
  f.pairs = {{v1::STATUS_GREY, 1}, {v1::STATUS_UNSPECIFIED, 2}, {static_cast<v1::Status>(9), 4}};
  const std::string text = Text(f);
  EXPECT_THAT(text, HasSubstr("zcluster_controller_pairs{status=\"GREY\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("zcluster_controller_pairs{status=\"GREEN\"} 0\n"));
}

TEST(ControllerConsole, IsUnhealthyWhileTheStoreHasAProblem) {
  Console console;
  const http_console::Content content = console.content();
  EXPECT_THAT(content.problems(), IsEmpty());
  Figures f;
  f.store_problem = "disk I/O error\nin two lines";
  console.Show(f);
  EXPECT_THAT(content.problems(), ElementsAre("store: disk I/O error\\x0Ain two lines"));
  EXPECT_THAT(Text(f), HasSubstr("\nzcluster_controller_store_healthy 0\n"));
  console.Show(Figures());
  EXPECT_THAT(content.problems(), IsEmpty());
}

TEST(ControllerConsole, ServesTheLatestFigures) {
  test::LoopThread loop;
  Console console;
  std::unique_ptr<http_console::HttpConsole> http;
  int port = 0;
  loop.Do([&] {
    http = std::make_unique<http_console::HttpConsole>(
        loop.loop(),
        http_console::Options{.program = "zcontroller", .version = "1", .listen = "127.0.0.1:0"},
        console.content());
    port = http->port();
  });
  EXPECT_THAT(test::Ask(port, "GET", "/metrics"),
              HasSubstr("\nzcluster_controller_agents_connected 0\n"));
  console.Show(Full());
  EXPECT_THAT(test::Ask(port, "GET", "/metrics"),
              HasSubstr("\nzcluster_controller_agents_connected 1845\n"));
  EXPECT_THAT(test::Ask(port, "GET", "/healthz"), StartsWith("HTTP/1.1 200 "));
  Figures broken = Full();
  broken.store_problem = "database disk image is malformed";
  console.Show(broken);
  EXPECT_EQ(test::BodyOf(test::Ask(port, "GET", "/healthz")),
            "store: database disk image is malformed\n");
  loop.Do([&] { http.reset(); });
}

}  // namespace
}  // namespace zcluster::controller
