// SPDX-License-Identifier: Apache-2.0
#include "common/console/http_console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/support/http_client.h"
#include "tests/support/loop_thread.h"
#include "tests/support/promtool.h"

namespace zcluster::http_console {
namespace {

using test::Ask;
using test::BodyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class HttpConsoleTest : public testing::Test {
 protected:
  ~HttpConsoleTest() override {
    loop_.Do([this] { console_.reset(); });
  }

  int Start(const std::string& listen = "127.0.0.1:0") {
    loop_.Do([&] {
      Options options{.program = "zagent", .version = "1.2.3", .listen = listen};
      options.retry = absl::Milliseconds(20);
      options.hung_after = absl::Milliseconds(500);
      console_ = std::make_unique<HttpConsole>(
          loop_.loop(), options,
          Content{[](Metrics& metrics) { metrics.Gauge("zcluster_term", "Highest term seen", 7); },
                  [this] {
                    absl::MutexLock lock(&mutex_);
                    return problems_;
                  }});
    });
    return Port();
  }

  int Port() {
    int port = 0;
    loop_.Do([&] { port = console_->port(); });
    return port;
  }

  void SetProblems(std::vector<std::string> problems) {
    absl::MutexLock lock(&mutex_);
    problems_ = std::move(problems);
  }

  // Asks until the answer holds `part`; the last answer.
  static std::string AskUntil(int port, const std::string& path, const std::string& part) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    std::string answer;
    do {
      answer = Ask(port, "GET", path);
    } while (!absl::StrContains(answer, part) && absl::Now() < deadline);
    return answer;
  }

  absl::Mutex mutex_;
  std::vector<std::string> problems_ ABSL_GUARDED_BY(mutex_);
  test::LoopThread loop_;
  std::unique_ptr<HttpConsole> console_;
};

TEST_F(HttpConsoleTest, ShowsTheBuildTheLoopTheProcessAndWhatTheDaemonMeasures) {
  const std::string answer = Ask(Start(), "GET", "/metrics");
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  const std::string page = BodyOf(answer);
  EXPECT_THAT(page, HasSubstr("\nzcluster_build_info{program=\"zagent\",version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nzcluster_loop_last_beat_age_seconds 0"));
  EXPECT_THAT(page, HasSubstr("\nzcluster_term 7\n"));
  EXPECT_THAT(page, HasSubstr("\nprocess_resident_memory_bytes "));
  EXPECT_TRUE(test::PromtoolAccepts("check metrics", page));
}

TEST_F(HttpConsoleTest, IsHealthyUntilSomethingIsWrong) {
  const int port = Start();
  EXPECT_THAT(Ask(port, "GET", "/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(BodyOf(Ask(port, "GET", "/healthz")), "ok\n");
  SetProblems({"lb1 is RED", "the disk is full"});
  EXPECT_THAT(Ask(port, "GET", "/healthz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(BodyOf(Ask(port, "GET", "/healthz")), "lb1 is RED\nthe disk is full\n");
}

TEST_F(HttpConsoleTest, TellsThatTheLoopHangs) {
  const int port = Start();
  absl::Notification go_on;
  loop_.loop().Post([&go_on] { go_on.WaitForNotification(); });
  SetProblems({"lb1 is RED"});
  const std::string answer = AskUntil(port, "/healthz", "the main loop");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(BodyOf(answer), StartsWith("the main loop of zagent has not run for "));
  EXPECT_THAT(BodyOf(answer), EndsWith("\nlb1 is RED\n"));
  EXPECT_THAT(Ask(port, "GET", "/metrics"), StartsWith("HTTP/1.1 200 OK\r\n"))
      << "/metrics needs no loop";
  SetProblems({});
  go_on.Notify();
  EXPECT_EQ(BodyOf(AskUntil(port, "/healthz", "HTTP/1.1 200 ")), "ok\n");
}

TEST_F(HttpConsoleTest, TakesItsPortOnceItIsFree) {
  test::LoopThread other_loop;
  std::unique_ptr<HttpConsole> other;
  int port = 0;
  other_loop.Do([&] {
    other = std::make_unique<HttpConsole>(
        other_loop.loop(), Options{.program = "other", .version = "1", .listen = "127.0.0.1:0"},
        Content{[](Metrics&) {}, [] { return std::vector<std::string>{"is the other"}; }});
    port = other->port();
  });
  EXPECT_EQ(Start(absl::StrCat("127.0.0.1:", port)), 0);
  EXPECT_EQ(BodyOf(Ask(port, "GET", "/healthz")), "is the other\n");
  other_loop.Do([&] { other.reset(); });
  EXPECT_EQ(BodyOf(AskUntil(port, "/healthz", "HTTP/1.1 200 ")), "ok\n");
}

TEST_F(HttpConsoleTest, CanBeOff) { EXPECT_EQ(Start("off"), 0); }

TEST_F(HttpConsoleTest, EndsInTheMiddleOfARequest) {
  const int port = Start();
  test::HttpClient client(port);
  client.Send("GET /metrics HTTP/1.1\r\n");
  loop_.Do([this] { console_.reset(); });
  EXPECT_EQ(client.ReadAll(), "");
}

}  // namespace
}  // namespace zcluster::http_console
