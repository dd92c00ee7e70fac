// SPDX-License-Identifier: Apache-2.0
// zctl as a whole, from the command line to the exit code, before an agent that says what we tell
// it to.
#include "ctl/ctl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/ctl/invoke.h"

namespace zcluster::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

TEST_F(CtlTest, NodesAsJsonHasExactlyThePromisedShape) {
  AddPair();
  const Outcome outcome = Ask({"nodes", "-o", "json"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_EQ(
      outcome.out,
      R"({"nodes": [{"node": "local", "role": "MASTER", "ip": "10.0.0.1", "hostname": "node1", )"
      R"("status": "GREEN", "message": "master since term 8"}, )"
      R"({"node": "remote", "role": "BACKUP", "ip": "10.0.0.2", "hostname": "node2", )"
      R"("status": "RED", "message": "peer \"x\" is away"}]})"
      "\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(CtlTest, NodesAreAligned) {
  AddPair();
  EXPECT_EQ(Ask({"nodes"}).out,
            "NODE    ROLE    IP        HOSTNAME  STATUS  MESSAGE\n"
            "local   MASTER  10.0.0.1  node1     GREEN   master since term 8\n"
            "remote  BACKUP  10.0.0.2  node2     RED     peer \"x\" is away\n");
}

TEST_F(CtlTest, WordsFromANewerAgentAreUnknownAndGrey) {
  agent_.AddNode(true, static_cast<v1::Role>(77), "10.0.0.1", "node1", static_cast<v1::Status>(77),
                 "?");
  EXPECT_THAT(Ask({"nodes"}).out, HasSubstr("UNKNOWN  10.0.0.1  node1     GREY"));
}

TEST_F(CtlTest, ARemoteMessageCannotSteerTheTerminal) {
  agent_.AddNode(false, v1::ROLE_BACKUP, "10.0.0.2", "node2", v1::STATUS_RED,
                 "\x1b[2Jall is well\nreally");
  const std::string out = Ask({"nodes"}).out;
  EXPECT_THAT(out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(out, HasSubstr("\xef\xbf\xbd[2Jall is well\xef\xbf\xbdreally\n"));
  EXPECT_THAT(Ask({"nodes", "-o", "json"}).out, HasSubstr(R"(\u001b[2Jall is well\nreally)"));
}

TEST_F(CtlTest, AnErrorMessageCannotSteerTheTerminal) {
  agent_.end = grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "no\x1b[2J");
  EXPECT_THAT(Ask({"nodes"}).err, Not(HasSubstr("\x1b")));
}

class StatusTest : public CtlTest {
 protected:
  void SetUp() override {
    AddPair();
    v1::GetStatusResponse& status = agent_.status;
    status.set_pair("lab");
    status.set_term(8);
    status.set_version("0.1.0");
    status.mutable_advert_interval()->set_nanos(100000000);
    v1::Vip& vip = *status.add_vips();
    vip.set_address("192.0.2.10/24");
    vip.set_interface("front");
    vip.set_held(true);
    v1::LinkState& link = *status.mutable_link();
    link.set_up(true);
    link.set_address("10.30.0.2:7700");
    link.set_version("0.1.0");
    link.mutable_since()->set_seconds(192);
    v1::ConntrackState& conntrack = *status.mutable_conntrack();
    conntrack.set_synchronised(true);
    conntrack.mutable_lag()->set_nanos(412000);
    conntrack.set_flows(80311);
    conntrack.set_changes(1);
    v1::RootState& equal = *status.add_roots();
    equal.set_path("/etc/haproxy");
    equal.set_local_digest("3f2a91c0deadbeef");
    equal.set_remote_digest("3f2a91c0deadbeef");
    equal.set_entries(12);
  }
};

TEST_F(StatusTest, TellsAllOnOneScreen) {
  agent_.status.set_ready(true);
  const Outcome outcome = Ask({"status"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_EQ(outcome.out,
            "node1 is MASTER, GREEN: master since term 8\n"
            "pair lab, term 8, an advert each 100 ms, agent 0.1.0\n"
            "\n"
            "Readiness\n"
            "  READY: a failover right now would succeed\n"
            "\n"
            "Nodes\n"
            "  NODE    ROLE    IP        HOSTNAME  STATUS  MESSAGE\n"
            "  local   MASTER  10.0.0.1  node1     GREEN   master since term 8\n"
            "  remote  BACKUP  10.0.0.2  node2     RED     peer \"x\" is away\n"
            "\n"
            "VIPs\n"
            "  192.0.2.10/24  front  held\n"
            "\n"
            "Peer link\n"
            "  up for 3m12s, 10.30.0.2:7700, agent 0.1.0\n"
            "\n"
            "Connections\n"
            "  synchronised, 80,311 flows, lag 0.4 ms\n"
            "  1 change, 0 snapshots, 0 overruns, 0 refused\n"
            "\n"
            "Synchronised roots\n"
            "  /etc/haproxy  12 entries  equal  3f2a91c0\n");
}

void AddPrecondition(v1::GetStatusResponse& status, const std::string& name, bool met, bool warning,
                     const std::string& evidence) {
  v1::Precondition& precondition = *status.add_readiness();
  precondition.set_name(name);
  precondition.set_met(met);
  precondition.set_warning(warning);
  precondition.set_evidence(evidence);
}

TEST_F(StatusTest, ReadinessIsExitCodeZeroOnlyWhenReady) {
  agent_.status.set_ready(true);
  AddPrecondition(agent_.status, "link", true, false, "the link lives");
  AddPrecondition(agent_.status, "clock", true, true, "the clocks differ");
  const Outcome ready = Ask({"readiness"});
  EXPECT_EQ(ready.code, kOk);
  EXPECT_EQ(ready.out,
            "READY: a failover right now would succeed\n"
            "  MET   PRECONDITION  NODE  EVIDENCE\n"
            "  look  clock         both  the clocks differ\n"
            "  yes   link          both  the link lives\n");
  EXPECT_THAT(Ask({"status"}).out, HasSubstr("  - worth a look: the clocks differ\n"));

  agent_.status.set_ready(false);
  agent_.status.add_not_ready("no way");
  AddPrecondition(agent_.status, "disk", false, false, "no way");
  const Outcome not_ready = Ask({"readiness"});
  EXPECT_EQ(not_ready.code, kFailed);
  EXPECT_THAT(not_ready.out, StartsWith("NOT READY\n"
                                        "  MET   PRECONDITION  NODE  EVIDENCE\n"
                                        "  no    disk          both  no way\n"));
  const Outcome json = Ask({"readiness", "-o", "json"});
  EXPECT_EQ(json.code, kFailed);
  EXPECT_THAT(json.out, HasSubstr(R"("ready": false)"));
  EXPECT_THAT(json.out, HasSubstr(R"({"name": "disk", "node": "", "met": false, )"
                                  R"("warning": false, "evidence": "no way"})"));
}

TEST_F(StatusTest, ReadinessOfAnAgentThatTellsNoPreconditionsNamesTheReasons) {
  agent_.status.add_not_ready("in no pair");
  const Outcome outcome = Ask({"readiness"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.out, HasSubstr("in no pair"));
}

TEST_F(StatusTest, NamesEachReasonAgainstAFailover) {
  agent_.status.add_not_ready("node2 lacks 1,204 flows");
  agent_.status.mutable_link()->set_up(false);
  agent_.status.mutable_link()->set_problem("no answer from 10.30.0.2:7700");
  agent_.status.mutable_conntrack()->set_synchronised(false);
  agent_.status.mutable_conntrack()->set_problem("no peer");
  agent_.status.mutable_roots(0)->set_remote_digest("");
  const std::string out = Ask({"status"}).out;
  EXPECT_THAT(out, HasSubstr("  NOT READY\n  - node2 lacks 1,204 flows\n"));
  EXPECT_THAT(out, HasSubstr("  down for 3m12s: no answer from 10.30.0.2:7700\n"));
  EXPECT_THAT(out, HasSubstr("  not synchronised: no peer; 80,311 flows\n"));
  EXPECT_THAT(out, HasSubstr("differ  here 3f2a91c0, peer -"));
}

TEST_F(StatusTest, AsJsonHasEveryPromisedKey) {
  agent_.status.add_not_ready("a");
  EXPECT_EQ(
      Ask({"status", "-o", "json"}).out,
      R"({"pair": "lab", "role": "MASTER", "status": "GREEN", "term": 8, "ready": false, "not_ready": ["a"], )"
      R"("readiness": [], "vips": [{"address": "192.0.2.10/24", "interface": "front", "held": true}], )"
      R"("link": {"up": true, "address": "10.30.0.2:7700", "version": "0.1.0", "problem": "", "since_seconds": 192}, )"
      R"("conntrack": {"synchronised": true, "lag_ms": 0.412, "flows": 80311, "changes": 1, "snapshots": 0, )"
      R"("overruns": 0, "refused": 0, "missing": 0, "digest": null, "differs": false, "problem": ""}, )"
      R"("roots": [{"path": "/etc/haproxy", "local_digest": "3f2a91c0deadbeef", "remote_digest": "3f2a91c0deadbeef", )"
      R"("equal": true, "entries": 12, "problem": ""}], )"
      R"("nodes": [{"node": "local", "role": "MASTER", "ip": "10.0.0.1", "hostname": "node1", "status": "GREEN", )"
      R"("message": "master since term 8"}, {"node": "remote", "role": "BACKUP", "ip": "10.0.0.2", )"
      R"("hostname": "node2", "status": "RED", "message": "peer \"x\" is away"}], )"
      R"("version": "0.1.0", "advert_interval_ms": 100, "controller": null})"
      "\n");
}

TEST_F(CtlTest, SwitchoverShowsEachStepWithItsTime) {
  agent_.AddStep("flows acknowledged by node2", 12);
  agent_.AddStep("node2 serves", 95);
  const Outcome outcome = Ask({"switchover"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_THAT(outcome.out,
              MatchesRegex("    12 ms  flows acknowledged by node2\n    95 ms  node2 serves\n"
                           "switched over in [0-9.]+ m?s\n"));
  EXPECT_EQ(agent_.asked, "switchover");
  EXPECT_FALSE(agent_.force);
}

TEST_F(CtlTest, ARefusalIsPrintedAsTheAgentSaysIt) {
  agent_.AddStep("checked", 1);
  agent_.end = grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "node2 is not ready: 3 flows");
  const Outcome outcome = Ask({"switchover"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.err, "zctl: node2 is not ready: 3 flows\n");
}

TEST_F(CtlTest, StepsAsJsonTellHowItEnded) {
  agent_.AddStep("checked", 1);
  EXPECT_EQ(Ask({"switchover", "-o", "json"}).out,
            "{\"steps\": [{\"what\": \"checked\", \"ms\": 1}], \"ok\": true, \"error\": \"\"}\n");
  agent_.end = grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "node2 did not take over");
  const Outcome outcome = Ask({"maintenance", "enter", "-o", "json"});
  EXPECT_EQ(outcome.out,
            "{\"steps\": [{\"what\": \"checked\", \"ms\": 1}], \"ok\": false, "
            "\"error\": \"node2 did not take over\"}\n");
  EXPECT_EQ(outcome.code, kFailed);
}

TEST_F(CtlTest, ForceIsPassedOnLoudly) {
  for (const std::string verb : {"enter", "start"}) {
    const Outcome outcome = Ask({"maintenance", verb, "--force"});
    EXPECT_EQ(outcome.code, kOk);
    EXPECT_EQ(agent_.asked, verb);
    EXPECT_TRUE(agent_.force);
    EXPECT_THAT(outcome.err, HasSubstr("--force"));
  }
}

TEST_F(CtlTest, ShowsWhatIsKeptAsideAndDropsIt) {
  v1::Conflict& conflict = *agent_.conflicts.add_conflicts();
  conflict.set_id("20261126T213015Z");
  conflict.set_root("/etc/haproxy");
  conflict.set_term(7);
  conflict.add_files("/var/lib/zcluster/conflicts/20261126T213015Z/files/haproxy.cfg");
  conflict.set_left_out(2);
  const Outcome shown = Ask({"conflicts"});
  EXPECT_EQ(shown.code, kOk) << shown.err;
  EXPECT_EQ(shown.out,
            "20261126T213015Z  /etc/haproxy, overwritten by the master of term 7\n"
            "  /var/lib/zcluster/conflicts/20261126T213015Z/files/haproxy.cfg\n"
            "  and 2 that were too many or too large: lost\n");
  EXPECT_THAT(Ask({"conflicts", "-o", "json"}).out, HasSubstr("\"id\": \"20261126T213015Z\""));
  const Outcome dropped = Ask({"conflicts", "--drop", "20261126T213015Z"});
  EXPECT_EQ(dropped.code, kOk) << dropped.err;
  EXPECT_EQ(dropped.out, "nothing is kept aside on this node\n");
}

TEST_F(CtlTest, FreezesWithAReasonAndUnfreezes) {
  agent_.AddStep("automatic decisions are suspended on node1", 1);
  const Outcome outcome = Ask({"freeze", "--reason", "switch upgrade"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(agent_.asked, "freeze");
  EXPECT_EQ(agent_.frozen.reason(), "switch upgrade");
  EXPECT_THAT(outcome.out, HasSubstr("automatic decisions are suspended on node1\nfrozen"));
  EXPECT_EQ(Ask({"unfreeze"}).code, kOk);
  EXPECT_EQ(agent_.asked, "unfreeze");
}

TEST_F(CtlTest, MaintenanceIsEnteredForATimeAndForAReason) {
  EXPECT_EQ(Ask({"maintenance", "enter", "--for", "2h", "--reason", "new disk"}).code, kOk);
  EXPECT_EQ(agent_.entered.length().seconds(), 7200);
  EXPECT_EQ(agent_.entered.reason(), "new disk");
  EXPECT_EQ(Ask({"maintenance", "enter"}).code, kOk);
  EXPECT_FALSE(agent_.entered.has_length());
  agent_.asked.clear();
  const Outcome outcome = Ask({"maintenance", "enter", "--for", "soon"});
  EXPECT_NE(outcome.code, kOk);
  EXPECT_THAT(outcome.err, HasSubstr("--for: 'soon' is not a time"));
  EXPECT_EQ(agent_.asked, "");
}

TEST_F(CtlTest, RunShowsEachNodeUnderItsName) {
  agent_.AddEvent("node1").set_standard_output("reloaded\x1b[0m\n");
  agent_.AddEvent("node1").set_standard_error("warning: \x1b[2J\n");
  agent_.AddResult("node1", 0, 12);
  agent_.AddEvent("node2").set_standard_output("no newline");
  agent_.AddResult("node2", 0, 34);
  const Outcome outcome = Ask({"run", "reload", "name=web", "text=a=b"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_EQ(outcome.out,
            "== node1 ==\nreloaded\x1b[0m\n-- node1: exit code 0 in 12 ms\n"
            "== node2 ==\nno newline\n-- node2: exit code 0 in 34 ms\n");
  EXPECT_EQ(outcome.err, "warning: \xef\xbf\xbd[2J\n");
  EXPECT_EQ(agent_.run.name(), "reload");
  EXPECT_EQ(agent_.run.arguments().at("name"), "web");
  EXPECT_EQ(agent_.run.arguments().at("text"), "a=b");
}

TEST_F(CtlTest, RunFailsIfItFailedOnOneNode) {
  agent_.AddResult("node1", 0, 1);
  agent_.AddResult("node2", 3, 1);
  EXPECT_EQ(Ask({"run", "x"}).code, kFailed);
  agent_.events.clear();
  agent_.AddResult("node1", 0, 1);
  agent_.AddResult("node2", 0, 1, "unreachable");
  const Outcome outcome = Ask({"run", "x"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.out, HasSubstr("-- node2: unreachable\n"));
}

TEST_F(CtlTest, ACommandThatTheCatalogueLacksIsWrongUsage) {
  agent_.end =
      grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no command 'x'; there are: reload");
  const Outcome outcome = Ask({"run", "x"});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_EQ(outcome.err, "zctl: no command 'x'; there are: reload\n");
}

TEST_F(CtlTest, RunFailsIfANodeNeverToldItsEnd) {
  agent_.AddResult("node1", 0, 1);
  agent_.AddEvent("node2").set_standard_output("x\n");
  const Outcome outcome = Ask({"run", "x"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("node2"));
}

TEST_F(CtlTest, RunAsJsonHoldsBothResults) {
  agent_.AddEvent("node1").set_standard_output("a");
  agent_.AddEvent("node1").set_standard_output("\xff\n");
  agent_.AddEvent("node1").set_standard_error("e");
  agent_.AddResult("node1", 3, 12);
  agent_.AddResult("node2", 0, 0, "unreachable");
  const Outcome outcome = Ask({"run", "x", "-o", "json"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(
      outcome.out,
      "{\"results\": [{\"node\": \"node1\", \"exit_code\": 3, \"stdout\": \"a\xef\xbf\xbd\\n\", "
      "\"stderr\": \"e\", \"took_ms\": 12, \"problem\": \"\"}, "
      "{\"node\": \"node2\", \"exit_code\": null, \"stdout\": \"\", \"stderr\": \"\", "
      "\"took_ms\": 0, \"problem\": \"unreachable\"}]}\n");
}

TEST_F(CtlTest, RunWithoutANameListsWhatExists) {
  v1::CommandInfo& command = *agent_.commands.add_commands();
  command.set_name("reload");
  command.set_summary("reloads a farm");
  command.add_arguments("name");
  EXPECT_EQ(Ask({"run"}).out, "NAME    ARGUMENTS  SUMMARY\nreload  name=...   reloads a farm\n");
  EXPECT_EQ(Ask({"run", "-o", "json"}).out,
            "{\"commands\": [{\"name\": \"reload\", \"summary\": \"reloads a farm\", "
            "\"arguments\": [\"name\"]}]}\n");
}

TEST_F(CtlTest, VersionIsOursAndTheAgents) {
  agent_.status.set_version("0.2.0");
  agent_.status.mutable_link()->set_version("0.3.0");
  EXPECT_EQ(Ask({"version", "-o", "json"}).out,
            "{\"zctl\": \"" ZC_VERSION "\", \"agent\": \"0.2.0\", \"peer\": \"0.3.0\"}\n");
}

TEST(Ctl, OurVersionIsShownWithoutAnAgentToo) {
  const Outcome outcome = Invoke({"version", "--socket", "/nonexistent/agent.sock"});
  EXPECT_EQ(outcome.code, kUnreachable);
  EXPECT_THAT(outcome.out, HasSubstr(ZC_VERSION));
  EXPECT_EQ(Invoke({"--version"}).out, "zctl " ZC_VERSION "\n");
}

TEST(Ctl, SaysThatNoAgentAnswers) {
  for (const std::string verb : {"nodes", "status", "switchover", "run"}) {
    const Outcome outcome = Invoke({verb, "--socket", "/nonexistent/agent.sock", "-o", "json"});
    EXPECT_EQ(outcome.code, kUnreachable) << verb;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err,
              "zctl: no agent answers on /nonexistent/agent.sock; is zagent running? "
              "(journalctl -u zagent)\n");
  }
}

TEST_F(CtlTest, AnAgentThatHangsIsUnreachableInTime) {
  agent_.hangs = true;
  const Outcome outcome = Ask({"nodes", "--timeout", "50ms"});
  EXPECT_EQ(outcome.code, kUnreachable);
  EXPECT_THAT(outcome.err, HasSubstr("did not answer within 50 ms"));
}

TEST_F(CtlTest, AnOperationThatOutlastsOurPatienceIsSaidToGoOn) {
  agent_.AddStep("flows acknowledged", 1);
  agent_.hangs = true;
  const Outcome outcome = Ask({"switchover", "--timeout", "2s"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("goes on in the agent"));
}

TEST_F(CtlTest, AnOlderAgentIsNamedAsSuch) {
  agent_.end = grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  EXPECT_THAT(Ask({"nodes"}).err, HasSubstr("older than zctl"));
}

TEST(Ctl, OutputThatCannotBeWrittenIsAFailure) {
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  EXPECT_EQ(Zctl({"help"}, out, err, -1, -1), kFailed);
  EXPECT_THAT(err.str(), HasSubstr("cannot write"));
}

TEST(Ctl, WithoutAVerbIsWrongUsage) {
  const Outcome outcome = Invoke(std::vector<std::string>{});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("Verbs:"), HasSubstr("Exit codes:")));
}

TEST(Ctl, WrongUsageSaysWhatAndHowToGetHelp) {
  const Outcome outcome = Invoke({"swichover"});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_THAT(outcome.err,
              StartsWith("zctl: unknown verb 'swichover'; did you mean 'switchover'?\n"));
  EXPECT_THAT(outcome.err, HasSubstr("--help"));
  EXPECT_EQ(Invoke({"run", "x", "novalue"}).code, kUsage);
  EXPECT_EQ(Invoke({"run", "x", "a=1", "a=2"}).code, kUsage);
}

}  // namespace
}  // namespace zcluster::ctl
