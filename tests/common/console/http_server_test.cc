// SPDX-License-Identifier: Apache-2.0
#include "common/console/http_server.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/support/http_client.h"

namespace zcluster::http_console {
namespace {

using test::Ask;
using test::BodyOf;
using test::HttpClient;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr absl::Duration kShortLife = absl::Milliseconds(300);

std::unique_ptr<HttpServer> Serve(const HttpServer::Bounds& bounds = {}, size_t large = 0) {
  auto server = HttpServer::Start("127.0.0.1:0",
                                  {{"/page",
                                    [] {
                                      return Page{200, "text/plain", "what is there\n"};
                                    }},
                                   {"/large",
                                    [large] {
                                      return Page{200, "text/plain", std::string(large, 'x')};
                                    }},
                                   {"/ill",
                                    [] {
                                      return Page{503, "text/plain", "it is ill\n"};
                                    }}},
                                  bounds);
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

size_t OpenFiles() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                           std::filesystem::directory_iterator()));
}

TEST(HttpServer, ServesAPage) {
  const auto server = Serve();
  const std::string answer = Ask(server->port(), "GET", "/page");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(BodyOf(answer), "what is there\n");
  EXPECT_EQ(BodyOf(Ask(server->port(), "GET", "/page?and=more")), "what is there\n");
}

TEST(HttpServer, AnswersHeadWithTheHeadersAlone) {
  const auto server = Serve();
  const std::string answer = Ask(server->port(), "HEAD", "/page");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 14\r\n"));
  EXPECT_EQ(BodyOf(answer), "");
}

TEST(HttpServer, PassesOnTheCodeOfAPage) {
  const auto server = Serve();
  EXPECT_THAT(Ask(server->port(), "GET", "/ill"), StartsWith("HTTP/1.1 503 "));
}

TEST(HttpServer, NamesWhatThereIsToWhoeverAsksForSomethingElse) {
  const auto server = Serve();
  for (const char* path : {"/", "/pag", "/page/", "/page/../ill", "//page", "*",
                           "http://elsewhere/page", "/%2e%2e/page"}) {
    const std::string answer = Ask(server->port(), "GET", path);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 ")) << path;
    EXPECT_THAT(BodyOf(answer), HasSubstr("/page\n")) << path;
  }
}

TEST(HttpServer, OnlyReads) {
  const auto server = Serve();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "BREW"}) {
    const std::string answer = Ask(server->port(), method, "/page");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n")) << method;
  }
}

TEST(HttpServer, DoesNotWaitForABody) {
  const auto server = Serve();
  for (const char* method : {"GET", "POST"}) {
    HttpClient client(server->port());
    client.Send(
        absl::StrCat(method, " /page HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nab"));
    EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 ")) << method;
  }
}

TEST(HttpServer, RefusesWhatIsNoHttp) {
  const auto server = Serve();
  for (const std::string& nonsense :
       {std::string("\x16\x03\x01\x02\r\n\r\n"), std::string("hello\r\n\r\n"),
        std::string("GET /page HTTP/1.1\r\nno colon\r\n\r\n"),
        std::string("GET /page HTTP/1.1\r\n\r\n"),  // HTTP/1.1 wants a Host
        std::string("GET /page HTTP/9.9\r\nHost: x\r\n\r\n")}) {
    HttpClient client(server->port());
    client.Send(nonsense);
    EXPECT_THAT(client.ReadAll(), Not(HasSubstr("what is there"))) << nonsense;
  }
  EXPECT_EQ(BodyOf(Ask(server->port(), "GET", "/page")), "what is there\n");
}

TEST(HttpServer, RefusesARequestThatIsTooLarge) {
  const auto server = Serve();
  const std::string much(64 << 10, 'x');
  for (const std::string& request :
       {absl::StrCat("GET /", much, " HTTP/1.1\r\nHost: x\r\n\r\n"),
        absl::StrCat("GET /page HTTP/1.1\r\nHost: x\r\nX-Large: ", much, "\r\n\r\n"),
        absl::StrCat(much, much)}) {
    HttpClient client(server->port());
    client.Send(request);
    // The refusal, or a reset that overtook it because we were still sending.
    EXPECT_THAT(client.ReadAll(), AnyOf("", StartsWith("HTTP/1.1 4"))) << request.substr(0, 20);
  }
  std::string many = "GET /page HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&many, "X-", i, ": y\r\n");
  HttpClient client(server->port());
  client.Send(many + "\r\n");
  EXPECT_THAT(client.ReadAll(), AnyOf("", StartsWith("HTTP/1.1 4")));
}

TEST(HttpServer, EndsAConnectionThatDripsForEver) {
  HttpServer::Bounds bounds;
  bounds.connection_life = kShortLife;
  const auto server = Serve(bounds);
  HttpClient slow(server->port());
  slow.Send("GET /page HTTP/1.1\r\n");
  const absl::Time begun = absl::Now();
  // A byte each 10 ms: never silent, never done.
  while (!slow.Readable(10) && absl::Now() < begun + absl::Seconds(30)) slow.Send("X");
  EXPECT_TRUE(slow.Readable(0)) << "still open after " << absl::Now() - begun;
  EXPECT_GE(absl::Now() - begun, kShortLife / 2);
  EXPECT_THAT(slow.ReadAll(), Not(HasSubstr("200 OK")));
}

TEST(HttpServer, EndsAConnectionThatSaysNothing) {
  HttpServer::Bounds bounds;
  bounds.connection_life = kShortLife;
  const auto server = Serve(bounds);
  HttpClient silent(server->port());
  EXPECT_EQ(silent.ReadAll(), "");
}

TEST(HttpServer, EndsAConnectionThatDoesNotRead) {
  HttpServer::Bounds bounds;
  bounds.connection_life = kShortLife;
  const auto server = Serve(bounds, /*large=*/16 << 20);  // more than any socket holds
  HttpClient lazy(server->port(), "127.0.0.1", /*receive_buffer=*/4096);
  lazy.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(lazy.Readable(30000));
  // Meanwhile the others are served.
  const size_t open = OpenFiles();
  EXPECT_EQ(BodyOf(Ask(server->port(), "GET", "/page")), "what is there\n");
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (OpenFiles() >= open && absl::Now() < deadline) Ask(server->port(), "GET", "/page");
  EXPECT_LT(OpenFiles(), open);
}

TEST(HttpServer, OneAddressCannotTakeAllConnections) {
  HttpServer::Bounds bounds;
  bounds.connection_life = absl::Minutes(10);
  const auto server = Serve(bounds);
  std::vector<std::unique_ptr<HttpClient>> greedy;
  for (unsigned i = 0; i < bounds.connections_per_address; ++i) {
    greedy.push_back(std::make_unique<HttpClient>(server->port()));
    ASSERT_TRUE(greedy.back()->connected());
  }
  EXPECT_EQ(Ask(server->port(), "GET", "/page"), "") << "one more than its share was served";
  EXPECT_EQ(BodyOf(Ask(server->port(), "GET", "/page", "127.0.0.2")), "what is there\n");
  greedy.pop_back();
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  std::string answer;
  while (answer.empty() && absl::Now() < deadline) answer = Ask(server->port(), "GET", "/page");
  EXPECT_EQ(BodyOf(answer), "what is there\n");
}

TEST(HttpServer, ServesAgainOnceACrowdHasHadItsTime) {
  HttpServer::Bounds bounds;
  bounds.connection_life = kShortLife;
  const auto server = Serve(bounds);
  const size_t before = OpenFiles();
  std::vector<std::unique_ptr<HttpClient>> crowd;
  for (unsigned i = 0; i < 4 * bounds.connections; ++i) {
    const unsigned address = 1 + i / bounds.connections_per_address;
    crowd.push_back(
        std::make_unique<HttpClient>(server->port(), absl::StrCat("127.0.0.", address)));
  }
  EXPECT_LE(OpenFiles(), before + crowd.size() + bounds.connections);
  EXPECT_EQ(BodyOf(Ask(server->port(), "GET", "/page", "127.0.0.200")), "what is there\n");
}

TEST(HttpServer, LeavesNothingBehind) {
  const size_t before = OpenFiles();
  {
    const auto server = Serve();
    for (int i = 0; i < 500; ++i)
      ASSERT_EQ(BodyOf(Ask(server->port(), "GET", "/page")), "what is there\n") << i;
    HttpClient open(server->port());
    open.Send("GET /pa");
  }
  EXPECT_EQ(OpenFiles(), before);
}

TEST(HttpServer, EndsWhileSomebodyIsConnected) {
  auto server = Serve();
  HttpClient client(server->port());
  client.Send("GET /page HTTP/1.1\r\n");
  server.reset();
  EXPECT_EQ(client.ReadAll(), "");
}

TEST(HttpServer, SaysWhyItCannotListen) {
  const auto server = Serve();
  const std::string taken = absl::StrCat("127.0.0.1:", server->port());
  EXPECT_EQ(HttpServer::Start(taken, {}, {}).status().message(),
            absl::StrCat("cannot listen on ", taken, ": Address already in use"));
  EXPECT_EQ(HttpServer::Start("off", {}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(HttpServer, ListensOnIpv6) {
  const auto server = HttpServer::Start("[::]:0",
                                        {{"/page",
                                          [] {
                                            return Page{200, "text/plain", "six\n"};
                                          }}},
                                        {});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_GT((*server)->port(), 0);
  EXPECT_EQ(BodyOf(Ask((*server)->port(), "GET", "/page")), "six\n") << "by IPv4 too";
}

}  // namespace
}  // namespace zcluster::http_console
