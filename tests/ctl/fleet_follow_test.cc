// SPDX-License-Identifier: Apache-2.0
// zctl fleet watch, events, flows: on a terminal, into a pipe, over a controller's restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "tests/ctl/fake_controller.h"
#include "tests/ctl/piped.h"
#include "tests/ctl/screen.h"

namespace zcluster::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

// ---- watch

class FleetWatchTest : public FleetTest {
 protected:
  void SetUp() override {
    controller_.AddPair("a", v1::STATUS_GREEN, "lb1");
    controller_.AddPair("b", v1::STATUS_RED, "lb2", "lb1 is away");
  }
};

TEST_F(FleetWatchTest, RedrawsInPlaceTheWorstFirst) {
  Screen screen(Words({"watch"}));
  ASSERT_TRUE(screen.Shows("2 pairs: 1 GREEN, 1 RED, "));
  ASSERT_TRUE(screen.Shows("\nb     RED"));
  ASSERT_TRUE(screen.Shows("\na     GREEN"));
  controller_.pairs[0].set_status(v1::STATUS_GREY);
  controller_.Change(controller_.pairs[0]);
  ASSERT_TRUE(screen.Shows("\x1b[H2 pairs: 1 RED, 1 GREY, "));
  screen.Type("\x03");
  EXPECT_EQ(screen.Ends(), kOk);
}

TEST_F(FleetWatchTest, ShowsAsManyAsFit) {
  for (int i = 0; i < 100; ++i) {
    controller_.AddPair(absl::StrCat("c", i), v1::STATUS_GREEN, "lb1");
  }
  // A terminal of no known size has 24 rows; four are not for pairs, two have a and b.
  Screen screen(Words({"watch"}));
  ASSERT_TRUE(screen.Shows("102 pairs"));
  ASSERT_TRUE(screen.Shows("\x1b[J"));
  EXPECT_THAT(screen.seen(),
              AllOf(HasSubstr("\nc0 "), HasSubstr("\nc24 "), Not(HasSubstr("\nc25 "))));
}

TEST_F(FleetWatchTest, IsALineForEachChangeInAPipe) {
  Piped watch(Words({"watch", "--selector", "env=prod"}));
  EXPECT_THAT(watch.ReadTo("away\n"),
              MatchesRegex("20[-0-9: ]+ UTC  a  GREEN  master lb1  not ready  all is well\n"
                           "20[-0-9: ]+ UTC  b  RED  master lb2  not ready  lb1 is away\n"));
  EXPECT_EQ(controller_.watch_request.selector(), "env=prod");
  // What is the same as before, but for its figures, is no change.
  controller_.pairs[0].set_flows(7);
  controller_.Change(controller_.pairs[0]);
  controller_.pairs[1].set_master("");
  controller_.pairs[1].set_message("\x1b[2J");
  controller_.Change(controller_.pairs[1]);
  EXPECT_THAT(watch.ReadTo("\n"),
              MatchesRegex("20[-0-9: ]+ UTC  b  RED  no master  not ready  \xef\xbf\xbd.2J\n"));
  v1::PairChanges gone;
  gone.add_gone("a");
  controller_.Changes(gone);
  EXPECT_THAT(watch.ReadTo("\n"), MatchesRegex("20[-0-9: ]+ UTC  a  gone\n"));
  EXPECT_EQ(watch.Ends(SIGINT), kOk);
}

TEST_F(FleetWatchTest, IsAnObjectALineAsJson) {
  Piped watch(Words({"watch", "-o", "json"}));
  EXPECT_THAT(watch.ReadTo("\n"),
              MatchesRegex("\\{\"at\": \"20[-0-9:TZ]+\", \"pairs\": \\[\\{\"name\": \"a\".*"
                           "\\{\"name\": \"b\".*\\], \"gone\": \\[\\]\\}\n"));
  EXPECT_EQ(watch.Ends(SIGTERM), kOk);
}

TEST_F(FleetWatchTest, AfterARestartItTellsOnlyWhatIsAnother) {
  Screen screen(Words({"watch", "-o", "json"}));
  ASSERT_TRUE(screen.Shows("\"name\": \"b\""));
  controller_.End();
  ASSERT_TRUE(screen.Shows("zctl: the controller went away; waiting for it"));
  controller_.pairs.erase(controller_.pairs.begin() + 1);
  controller_.AddPair("c", v1::STATUS_GREEN, "lb1");
  controller_.Begin();
  ASSERT_TRUE(screen.Shows("zctl: the controller is back"));
  ASSERT_TRUE(screen.Shows("\"pairs\": [{\"name\": \"c\""));
  ASSERT_TRUE(screen.Shows("\"gone\": [\"b\"]}"));
  EXPECT_EQ(screen.seen().find("\"name\": \"a\""), screen.seen().rfind("\"name\": \"a\""));
  kill(screen.pid(), SIGTERM);
  EXPECT_EQ(screen.Ends(), kOk);
}

TEST_F(FleetWatchTest, ARefusalEndsIt) {
  controller_.ends["Watch"] = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "selector: no");
  EXPECT_EQ(Ask({"watch"}).code, kUsage);
  controller_.ends["Watch"] = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many");
  EXPECT_EQ(Ask({"watch"}).code, kFailed);
}

TEST_F(FleetWatchTest, EndsAfterItsTime) {
  const Outcome outcome = Ask({"watch", "--timeout", "300ms"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("lb1 is away"));
}

// ---- events

TEST_F(FleetTest, EventsAreALineEach) {
  controller_.Happens("web-1", "lb1", "promoted", {{"term", "8"}, {"cause", "no advert"}});
  controller_.Happens("web-1", "", "agent_lost", {{"why", ""}}, /*warning=*/true);
  controller_.Happens("web-1", "\x1b[2J", "x\ny");
  const Outcome outcome = Ask({"events", "web-1", "web-2", "--after", "1", "--limit", "3"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "2026-01-01 00:00:00.123 UTC  web-1/lb1  promoted  term=8 cause=\"no advert\"\n"
            "2026-01-01 00:00:00.123 UTC  web-1  agent_lost  why=\"\"\n"
            "2026-01-01 00:00:00.123 UTC  web-1/\xef\xbf\xbd[2J  x\xef\xbf\xbdy\n");
  const v1::FleetEventsRequest& request = controller_.events_requests[0];
  EXPECT_THAT(request.pairs(), testing::ElementsAre("web-1", "web-2"));
  EXPECT_EQ(request.after(), 1u);
  EXPECT_EQ(request.limit(), 3u);
  EXPECT_FALSE(request.follow());
  EXPECT_THAT(Ask({"events", "--warnings"}).out,
              AllOf(HasSubstr("agent_lost"), Not(HasSubstr("promoted"))));
}

TEST_F(FleetTest, EventsAsJsonAreOneObject) {
  controller_.Happens("web-1", "lb1", "promoted", {{"term", "8"}, {"term", "9"}}, true);
  EXPECT_EQ(Ask({"events", "-o", "json"}).out,
            R"({"events": [{"number": 2, "at": "2026-01-01T00:00:00.123Z", )"
            R"("received": "2026-01-01T00:00:01.000Z", "pair": "web-1", "node": "lb1", )"
            R"("journal_number": 0, "name": "promoted", "warning": true, "fields": {"term": "8"}}]})"
            "\n");
  EXPECT_THAT(Ask({"events", "-o", "yaml"}).out, HasSubstr("events:\n  - number: 2\n"));
}

TEST_F(FleetTest, NoEventIsSaidBesideTheOutput) {
  const Outcome outcome = Ask({"events"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "zctl: no event matches\n");
  EXPECT_EQ(Ask({"events", "-o", "json"}).out, "{\"events\": []}\n");
}

TEST_F(FleetTest, SinceIsATimeOrHowLongAgo) {
  const auto since = [this](const std::string& text) {
    Ask({"events", "--since", text});
    const auto& proto = controller_.events_requests.back().since();
    return absl::FromUnixSeconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
  };
  EXPECT_EQ(since("2026-01-01"), absl::FromUnixSeconds(1767225600));
  EXPECT_EQ(since("2026-01-01 01:00"), absl::FromUnixSeconds(1767229200));
  EXPECT_EQ(since("2026-01-01 00:00:00.5 UTC"), absl::FromUnixMillis(1767225600500));
  EXPECT_EQ(since("2026-01-01T01:00:00+01:00"), absl::FromUnixSeconds(1767225600));
  EXPECT_NEAR(absl::ToDoubleSeconds(absl::Now() - since("2h")), 7200, 60);
  EXPECT_EQ(Ask({"events", "--since", "yesterday"}).code, kUsage);
  EXPECT_EQ(Ask({"events", "--after", "-1"}).code, kUsage);
  EXPECT_EQ(Ask({"events", "--limit", "10001"}).code, kUsage);
  EXPECT_EQ(Ask({"events", "web-1", "--selector", "a=b"}).code, kUsage);
}

TEST_F(FleetTest, FollowingLosesNothingAndRepeatsNothingOverARestart) {
  for (int i = 1; i <= 3; ++i) controller_.Happens("p", "n", absl::StrCat("e", i, "."));
  Screen screen(Words({"events", "--follow", "--limit", "2"}));
  ASSERT_TRUE(screen.Shows("e2."));
  ASSERT_TRUE(screen.Shows("e3."));
  controller_.Happens("p", "n", "e4.");
  ASSERT_TRUE(screen.Shows("e4."));
  controller_.End();
  ASSERT_TRUE(screen.Shows("waiting for it"));
  // More than was asked for at first, and than is usual.
  for (int i = 5; i <= 300; ++i) controller_.Happens("p", "n", absl::StrCat("e", i, "."));
  controller_.Begin();
  ASSERT_TRUE(screen.Shows("the controller is back"));
  for (int i = 5; i <= 300; ++i) ASSERT_TRUE(screen.Shows(absl::StrCat("  e", i, ".\r\n")));
  controller_.Happens("p", "n", "last.");
  ASSERT_TRUE(screen.Shows("last."));
  screen.Type("\x03");
  EXPECT_EQ(screen.Ends(), kOk);
  for (int i = 2; i <= 300; ++i) {
    const std::string name = absl::StrCat("  e", i, ".\r\n");
    EXPECT_EQ(screen.seen().find(name), screen.seen().rfind(name)) << name;
  }
  EXPECT_THAT(screen.seen(), Not(HasSubstr("e1.")));
}

TEST_F(FleetTest, FollowingAsJsonIsALineAnEvent) {
  controller_.Happens("p", "n", "one");
  Piped events(Words({"events", "--follow", "-o", "json"}));
  EXPECT_THAT(events.ReadTo("\n"), MatchesRegex("\\{\"number\": 2, .*\"name\": \"one\".*\\}\n"));
  controller_.Happens("p", "n", "two");
  EXPECT_THAT(events.ReadTo("\n"), MatchesRegex("\\{\"number\": 4, .*\"name\": \"two\".*\\}\n"));
  EXPECT_EQ(events.Ends(SIGINT), kOk);
}

TEST_F(FleetTest, FollowingWaitsForTheFirstEventOverARestartToo) {
  Screen screen(Words({"events", "--follow", "-o", "yaml"}));
  controller_.Happens("p", "n", "one");
  ASSERT_TRUE(screen.Shows("name: one"));
  controller_.End();
  ASSERT_TRUE(screen.Shows("waiting for it"));
  screen.Type("\x03");
  EXPECT_EQ(screen.Ends(), kOk);
}

TEST_F(FleetTest, FollowingEndsWhenNobodyReadsAnyMore) {
  controller_.Happens("p", "n", "one");
  Piped events(Words({"events", "--follow"}));
  events.ReadTo("\n");
  events.StopReading();
  EXPECT_EQ(events.Ends(), kOk);
}

// ---- flows

v1::SeenFlow& AddTcp(v1::FlowsSeen& seen) {
  v1::SeenFlow& added = *seen.add_flows();
  added.mutable_at()->set_seconds(1767225600);
  v1::Flow& flow = *added.mutable_flow();
  flow.set_protocol(6);
  flow.set_source_v4(0xc6336407);       // 198.51.100.7
  flow.set_destination_v4(0xc000020a);  // 192.0.2.10
  flow.set_source_port(40312);
  flow.set_destination_port(80);
  return added;
}

TEST_F(FleetTest, FlowsShowWhatNatMakesOfThem) {
  v1::FlowsSeen& seen = controller_.flows.emplace_back();
  seen.set_node("lb1");
  v1::Flow& both = *AddTcp(seen).mutable_flow();
  both.set_reply_source_v4(0x0a280002);       // 10.40.0.2
  both.set_reply_destination_v4(0x0a280001);  // 10.40.0.1
  both.set_reply_source_port(8080);
  both.set_tcp(3 | 7 << 4);
  both.set_mark(16);
  AddTcp(seen).mutable_flow()->set_gone(true);
  v1::Flow& six = *AddTcp(seen).mutable_flow();
  six.clear_source_v4();
  six.clear_destination_v4();
  six.set_protocol(17);
  six.set_source_v6(std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16));
  six.set_destination_v6("short");
  six.set_zone(3);
  v1::Flow& ping = *AddTcp(seen).mutable_flow();
  ping.set_protocol(1);
  ping.set_source_port(77);
  ping.set_destination_port(8 << 8);
  ping.set_status(2);
  seen.set_skipped(1204);
  controller_.ends["Flows"] = grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "enough");
  const Outcome outcome = Ask({"flows", "web-1", "--rate", "50"});
  EXPECT_EQ(controller_.flows_request.pair(), "web-1");
  EXPECT_EQ(controller_.flows_request.max_per_second(), 50u);
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.out,
            "00:00:00.000  tcp     198.51.100.7:40312 -> 192.0.2.10:80 => 10.40.0.1:40312 -> "
            "10.40.0.2:8080  mark 0x10  ESTABLISHED\n"
            "00:00:00.000  tcp     198.51.100.7:40312 -> 192.0.2.10:80  gone\n"
            "00:00:00.000  udp     [2001:db8::1]:40312 -> ?:80  zone 3  UNREPLIED\n"
            "00:00:00.000  icmp    198.51.100.7 -> 192.0.2.10  type 8 code 0 id 77\n");
  EXPECT_THAT(outcome.err, HasSubstr("zctl: 1,204 changes not shown"));
}

TEST_F(FleetTest, FlowsAsJsonAreALineEach) {
  v1::FlowsSeen& seen = controller_.flows.emplace_back();
  seen.set_node("lb1");
  AddTcp(seen).mutable_flow()->set_tcp(1);
  AddTcp(seen).mutable_flow()->set_gone(true);
  controller_.ends["Flows"] = grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "enough");
  const Outcome outcome = Ask({"flows", "web-1", "-o", "json"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.out,
            R"({"at": "2026-01-01T00:00:00.000Z", "node": "lb1", "protocol": "tcp", )"
            R"("original": {"source": "198.51.100.7", "source_port": 40312, )"
            R"("destination": "192.0.2.10", "destination_port": 80}, )"
            R"("translated": {"source": "198.51.100.7", "source_port": 40312, )"
            R"("destination": "192.0.2.10", "destination_port": 80}, )"
            R"("state": "SYN_SENT", "zone": 0, "mark": 0, "gone": false})"
            "\n"
            R"({"at": "2026-01-01T00:00:00.000Z", "node": "lb1", "protocol": "tcp", )"
            R"("original": {"source": "198.51.100.7", "source_port": 40312, )"
            R"("destination": "192.0.2.10", "destination_port": 80}, "translated": null, )"
            R"("state": null, "zone": 0, "mark": 0, "gone": true})"
            "\n");
}

TEST_F(FleetTest, FlowsSayWhenAnotherNodeSeesThem) {
  for (const std::string node : {"lb1", "lb2"}) {
    v1::FlowsSeen& seen = controller_.flows.emplace_back();
    seen.set_node(node);
    AddTcp(seen);
  }
  controller_.ends["Flows"] = grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "enough");
  EXPECT_EQ(Ask({"flows", "web-1"}).err, "zctl: lb2 sees them from now on\nzctl: enough\n");
  EXPECT_EQ(Ask({"flows", "web-1", "--rate", "1001"}).code, kUsage);
}

}  // namespace
}  // namespace zcluster::ctl
