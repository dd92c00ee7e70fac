// SPDX-License-Identifier: Apache-2.0
// zctl fleet switchover, maintenance, run: one pair after the other, and no further than the first
// failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ctl/fake_controller.h"
#include "tests/ctl/screen.h"

namespace zcluster::ctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

TEST_F(FleetTest, SwitchoverShowsEachStepAsOnTheNode) {
  controller_.AddStep("flows acknowledged by lb2", 12);
  const Outcome outcome = Ask({"switchover", "web-1", "--force"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, MatchesRegex("    12 ms  flows acknowledged by lb2\n"
                                        "web-1: switched over in [0-9.]+ m?s\n"));
  EXPECT_THAT(outcome.err, HasSubstr("--force"));
  EXPECT_THAT(controller_.asked, ElementsAre("Switchover web-1 force"));
}

TEST_F(FleetTest, SwitchoverStopsAtTheFirstFailure) {
  controller_.AddStep("checked", 1);
  controller_.ends["Switchover b"] =
      grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "lb2 is not ready: \x1b[2J");
  const Outcome outcome = Ask({"switchover", "a", "b", "c", "d"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.out, MatchesRegex("== a ==\n     1 ms  checked\na: switched over in .*\n"
                                        "== b ==\n     1 ms  checked\n"));
  EXPECT_EQ(outcome.err,
            "zctl: b: lb2 is not ready: \xef\xbf\xbd[2J\nzctl: not asked any more: c, d\n");
  EXPECT_THAT(controller_.asked, ElementsAre("Switchover a", "Switchover b"));
}

TEST_F(FleetTest, TheExitCodeIsTheFailures) {
  controller_.ends["Switchover"] = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "a viewer");
  EXPECT_EQ(Ask({"switchover", "a"}).code, kNotPermitted);
  // The controller is there; of the pair nobody is.
  controller_.ends["Switchover"] =
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "no agent of a is connected");
  const Outcome outcome = Ask({"switchover", "a"});
  EXPECT_EQ(outcome.code, kUnreachable);
  EXPECT_EQ(outcome.err, "zctl: a: no agent of a is connected\n");
}

TEST_F(FleetTest, AControllerThatGoesAwayIsNamedAsSuch) {
  controller_.End();
  EXPECT_THAT(Ask({"switchover", "a"}).err, HasSubstr("no controller answers on"));
}

TEST_F(FleetTest, SwitchoverAsJsonIsOneObject) {
  controller_.AddStep("checked", 1);
  controller_.ends["Switchover b"] = grpc::Status(grpc::StatusCode::ABORTED, "undone");
  const Outcome outcome = Ask({"switchover", "a", "b", "c", "-o", "json"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.out,
            R"({"pairs": [{"pair": "a", "steps": [{"what": "checked", "ms": 1}], "ok": true, )"
            R"("error": ""}, {"pair": "b", "steps": [{"what": "checked", "ms": 1}], "ok": false, )"
            R"("error": "undone"}], "not_asked": ["c"], "ok": false})"
            "\n");
  EXPECT_THAT(Ask({"switchover", "a", "-o", "yaml"}).out,
              HasSubstr("pairs:\n  - pair: a\n    steps:\n"));
}

TEST_F(FleetTest, WhichPairsIsSaidOnce) {
  EXPECT_EQ(Ask({"switchover"}).code, kUsage);
  EXPECT_EQ(Ask({"switchover", "a", "--selector", "b"}).code, kUsage);
  EXPECT_EQ(Ask({"switchover", "a", "a"}).code, kUsage);
  EXPECT_EQ(Ask({"run", "x"}).code, kUsage);
  EXPECT_EQ(Ask({"run", "a,,b", "x"}).code, kUsage);
  EXPECT_EQ(Ask({"run", "a", "x", "novalue"}).code, kUsage);
  EXPECT_EQ(Ask({"run", "--selector", "a"}).code, kUsage);
  EXPECT_EQ(Ask({"maintenance", "enter", "web-1"}).code, kUsage);
  EXPECT_EQ(Ask({"maintenance", "enter", "web-1/a/b"}).code, kUsage);
  EXPECT_EQ(Ask({"maintenance", "enter", "--selector", "a"}).code, kUsage);
  EXPECT_EQ(Ask({"maintenance", "enter", "web-1/a", "--node", "a"}).code, kUsage);
  EXPECT_THAT(controller_.asked, IsEmpty());
}

TEST_F(FleetTest, ASelectionWithoutATerminalNeedsYes) {
  controller_.AddPair("a", v1::STATUS_GREEN, "lb1");
  controller_.AddPair("b", v1::STATUS_GREEN, "lb1");
  const Outcome refused = Ask({"switchover", "--selector", "env=test"});
  EXPECT_EQ(refused.code, kUnconfirmed);
  EXPECT_THAT(refused.err, HasSubstr("this concerns 2 pairs, and needs --yes"));
  EXPECT_THAT(controller_.asked, ElementsAre("List"));
  EXPECT_EQ(Ask({"switchover", "--selector", "env=test", "--yes"}).code, kOk);
  EXPECT_THAT(controller_.asked, ElementsAre("List", "List", "Switchover a", "Switchover b"));
  EXPECT_EQ(controller_.lists[1].selector(), "env=test");
}

TEST_F(FleetTest, ASelectionIsShownAndConfirmedOnATerminal) {
  controller_.AddPair("a", v1::STATUS_GREEN, "lb1");
  Screen no(Words({"switchover", "--selector", "env=test"}));
  ASSERT_TRUE(no.Shows("a     GREEN   lb1"));
  ASSERT_TRUE(no.Shows("Switch over 1 pair, one after the other? [y/N]"));
  no.Type("\n");
  EXPECT_EQ(no.Ends(), kUnconfirmed);
  Screen yes(Words({"maintenance", "enter", "--selector", "env=test", "--node", "BACKUP"}));
  ASSERT_TRUE(yes.Shows("[y/N]"));
  yes.Type("y\n");
  EXPECT_EQ(yes.Ends(), kOk);
  EXPECT_EQ(controller_.asked.back(), "Enter a/lb2");
}

TEST_F(FleetTest, ASelectionThatMatchesNothingIsAFailure) {
  const Outcome outcome = Ask({"switchover", "--selector", "env=tset", "--yes"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("no pair matches --selector 'env=tset'"));
}

TEST_F(FleetTest, MaintenanceIsOfNodes) {
  EXPECT_THAT(Ask({"maintenance", "enter", "a/lb1", "b/lb2", "--force"}).out,
              AllOf(HasSubstr("a/lb1: in maintenance in"), HasSubstr("b/lb2: in maintenance in")));
  EXPECT_THAT(Ask({"maintenance", "start", "a/lb1"}).out, HasSubstr("a/lb1: eligible again in"));
  EXPECT_THAT(controller_.asked,
              ElementsAre("Enter a/lb1 force", "Enter b/lb2 force", "Start a/lb1"));
}

TEST_F(FleetTest, MaintenanceIsEnteredForATimeAndForAReason) {
  EXPECT_EQ(Ask({"maintenance", "enter", "a/lb1", "--for", "90m", "--reason", "new disk"}).code,
            kOk);
  EXPECT_EQ(controller_.entered.length().seconds(), 5400);
  EXPECT_EQ(controller_.entered.reason(), "new disk");
  EXPECT_THAT(Ask({"maintenance", "enter", "a/lb1", "--for", "-1h"}).err, HasSubstr("--for: "));
  EXPECT_THAT(controller_.asked, ElementsAre("Enter a/lb1"));
}

TEST_F(FleetTest, MaintenanceOfASelectionIsOfOneNodeOfEachPair) {
  controller_.AddPair("a", v1::STATUS_GREEN, "lb1");
  controller_.AddPair("b", v1::STATUS_GREEN, "lb2");
  controller_.AddPair("c", v1::STATUS_GREEN, "");
  controller_.pairs[2].clear_nodes();
  EXPECT_EQ(Ask({"maintenance", "enter", "--selector", "x", "--node", "MASTER", "--yes"}).code,
            kOk);
  EXPECT_EQ(Ask({"maintenance", "enter", "--selector", "x", "--node", "lb1", "--yes"}).code, kOk);
  EXPECT_THAT(controller_.asked, ElementsAre("List", "Enter a/lb1", "Enter b/lb2", "List",
                                             "Enter a/lb1", "Enter b/lb1"));
  const Outcome none =
      Ask({"maintenance", "start", "--selector", "x", "--node", "MAINTENANCE", "--yes"});
  EXPECT_EQ(none.code, kFailed);
  EXPECT_THAT(none.err, HasSubstr("has a node MAINTENANCE"));
}

class FleetRunTest : public FleetTest {
 protected:
  void Ends(const std::string& node, int exit_code) {
    v1::RunEvent& out = controller_.run_events.emplace_back();
    out.set_node(node);
    out.set_standard_output("done\n");
    v1::RunEvent& event = controller_.run_events.emplace_back();
    event.set_node(node);
    event.mutable_result()->set_exit_code(exit_code);
    event.mutable_result()->mutable_took()->set_nanos(12000000);
  }
};

TEST_F(FleetRunTest, ShowsEachNodeUnderItsPairsName) {
  Ends("lb1", 0);
  Ends("lb2", 0);
  const Outcome outcome = Ask({"run", "web-1", "reload", "name=web"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "== web-1/lb1 ==\ndone\n-- web-1/lb1: exit code 0 in 12 ms\n"
            "== web-1/lb2 ==\ndone\n-- web-1/lb2: exit code 0 in 12 ms\n");
  EXPECT_EQ(controller_.run.name(), "reload");
  EXPECT_EQ(controller_.run.arguments().at("name"), "web");
  EXPECT_THAT(controller_.asked, ElementsAre("Run web-1"));
}

TEST_F(FleetRunTest, StopsWhereItFailedOnANode) {
  Ends("lb1", 0);
  Ends("lb2", 3);
  const Outcome outcome = Ask({"run", "a,b,c", "reload"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("-- a/lb2: exit code 3"), Not(HasSubstr("b/lb1"))));
  EXPECT_THAT(outcome.out, Not(HasSubstr("== a ==")));
  EXPECT_EQ(outcome.err, "zctl: not asked any more: b, c\n");
  EXPECT_THAT(controller_.asked, ElementsAre("Run a"));
}

TEST_F(FleetRunTest, AsJsonIsOneObject) {
  Ends("lb1", 0);
  const Outcome outcome = Ask({"run", "a", "reload", "-o", "json"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_EQ(outcome.out,
            R"({"pairs": [{"pair": "a", "results": [{"node": "lb1", "exit_code": 0, )"
            R"("stdout": "done\n", "stderr": "", "took_ms": 12, "problem": ""}], "ok": true, )"
            R"("error": ""}], "not_asked": [], "ok": true})"
            "\n");
}

TEST_F(FleetRunTest, ACommandThatTheCatalogueLacksIsWrongUsage) {
  controller_.ends["Run"] = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no command 'x'");
  const Outcome outcome = Ask({"run", "a", "x"});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_EQ(outcome.err, "zctl: a: no command 'x'\n");
}

TEST_F(FleetRunTest, RunsInWhatASelectorChooses) {
  Ends("lb1", 0);
  controller_.AddPair("a", v1::STATUS_GREEN, "lb1");
  controller_.AddPair("b", v1::STATUS_GREEN, "lb1");
  EXPECT_EQ(Ask({"run", "--selector", "env=prod", "reload", "name=web", "--yes"}).code, kOk);
  EXPECT_EQ(controller_.run.name(), "reload");
  EXPECT_THAT(controller_.asked, ElementsAre("List", "Run a", "Run b"));
}

}  // namespace
}  // namespace zcluster::ctl
