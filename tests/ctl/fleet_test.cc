// SPDX-License-Identifier: Apache-2.0
// zctl fleet token, list, show, label, forget; and who answers.
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
using testing::Not;

// ---- list

TEST_F(FleetTest, ListIsALineForEachPair) {
  v1::PairSummary& pair = controller_.AddPair("web-1", v1::STATUS_GREEN, "lb1");
  pair.set_ready(true);
  pair.set_flows(80311);
  (*pair.mutable_labels())["tier"] = "web";
  (*pair.mutable_labels())["env"] = "prod";
  controller_.AddPair("db", v1::STATUS_GREY, "", "no agent is connected");
  const Outcome outcome = Ask({"list"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "NAME   STATUS  MASTER  READY  FLOWS   NODES    LABELS             MESSAGE\n"
            "web-1  GREEN   lb1     yes    80,311  lb1,lb2  env=prod,tier=web  all is well\n"
            "db     GREY    -       no     0       lb1,lb2  -                  no agent is "
            "connected\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(FleetTest, ListAsJsonAndYaml) {
  v1::PairSummary& pair = controller_.AddPair("web-1", v1::STATUS_RED, "lb1", "lb2 is away");
  pair.set_term(8);
  pair.set_generation(3);
  (*pair.mutable_labels())["env"] = "prod";
  pair.mutable_nodes()->DeleteSubrange(1, 1);
  pair.mutable_nodes(0)->set_ip("192.0.2.1");
  pair.mutable_nodes(0)->set_connected(true);
  pair.mutable_nodes(0)->mutable_age()->set_nanos(500000000);
  pair.mutable_nodes(0)->set_version("0.1.0");
  pair.mutable_nodes(0)->set_allow(v1::RIGHT_OPERATOR);
  EXPECT_EQ(
      Ask({"list", "-o", "json"}).out,
      R"({"pairs": [{"name": "web-1", "status": "RED", "message": "lb2 is away", "master": "lb1", )"
      R"("ready": false, "flows": 0, "term": 8, "generation": 3, "labels": {"env": "prod"}, )"
      R"("nodes": [{"name": "lb1", "role": "MASTER", "ip": "192.0.2.1", "status": "RED", )"
      R"("message": "", "connected": true, "age_seconds": 0.5, "version": "0.1.0", )"
      R"("allow": "operator"}]}], "total": 1})"
      "\n");
  EXPECT_EQ(Ask({"list", "-o", "yaml"}).out,
            "pairs:\n  - name: web-1\n    status: RED\n    message: lb2 is away\n    master: lb1\n"
            "    ready: false\n    flows: 0\n    term: 8\n    generation: 3\n    labels:\n"
            "      env: prod\n    nodes:\n      - name: lb1\n        role: MASTER\n"
            "        ip: 192.0.2.1\n        status: RED\n        message: \"\"\n"
            "        connected: true\n        age_seconds: 0.5\n        version: 0.1.0\n"
            "        allow: operator\ntotal: 1\n");
}

TEST_F(FleetTest, ListPagesToTheEnd) {
  controller_.largest_page = 3;
  for (int i = 0; i < 8; ++i) {
    controller_.AddPair(absl::StrCat("p", i), v1::STATUS_GREEN, "lb1");
  }
  const Outcome outcome = Ask({"list", "--selector", "env=prod", "--sort=-flows"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  for (int i = 0; i < 8; ++i) EXPECT_THAT(outcome.out, HasSubstr(absl::StrCat("\np", i, " ")));
  ASSERT_EQ(controller_.lists.size(), 3u);
  EXPECT_EQ(controller_.lists[0].page(), "");
  EXPECT_EQ(controller_.lists[2].page(), "6");
  for (const v1::ListPairsRequest& request : controller_.lists) {
    EXPECT_EQ(request.selector(), "env=prod");
    EXPECT_EQ(request.order(), "-flows");
  }
}

TEST_F(FleetTest, ListStopsAtItsLimit) {
  controller_.largest_page = 3;
  for (int i = 0; i < 8; ++i) {
    controller_.AddPair(absl::StrCat("p", i), v1::STATUS_GREEN, "lb1");
  }
  const Outcome outcome = Ask({"list", "--limit", "4", "-o", "json"});
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("\"p3\""), Not(HasSubstr("\"p4\"")), HasSubstr("\"total\": 8}")));
  EXPECT_EQ(controller_.lists.back().page_size(), 1u);
  EXPECT_EQ(Ask({"list", "--limit", "0"}).code, kUsage);
}

TEST_F(FleetTest, AListThatDoesNotEndIsRefused) {
  controller_.largest_page = 0;
  controller_.AddPair("p", v1::STATUS_GREEN, "lb1");
  const Outcome outcome = Ask({"list"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("does not end"));
}

TEST_F(FleetTest, AnEmptyListSaysWhatToDo) {
  EXPECT_THAT(Ask({"list"}).out, HasSubstr("zctl fleet token"));
  EXPECT_EQ(Ask({"list", "--selector", "a=b"}).out, "no pair matches\n");
  EXPECT_EQ(Ask({"list", "-o", "json"}).out, "{\"pairs\": [], \"total\": 0}\n");
}

TEST_F(FleetTest, OnATerminalTheListEndsWithASum) {
  for (int i = 0; i < 3; ++i) controller_.AddPair("p", v1::STATUS_GREEN, "lb1");
  controller_.AddPair("q", v1::STATUS_GREY, "");
  controller_.AddPair("r", v1::STATUS_RED, "lb1");
  Screen screen(Words({"list"}));
  EXPECT_EQ(screen.Ends(), kOk);
  EXPECT_THAT(screen.seen(), HasSubstr("\r\n\r\n5 pairs: 3 GREEN, 1 RED, 1 GREY\r\n"));
  Screen some(Words({"list", "--limit", "1"}));
  EXPECT_EQ(some.Ends(), kOk);
  EXPECT_THAT(some.seen(), HasSubstr("\r\n1 of 5 pairs: 1 GREEN\r\n"));
}

TEST_F(FleetTest, ASelectorThatIsWrongIsWrongUsage) {
  controller_.ends["List"] = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "selector: '=='");
  const Outcome outcome = Ask({"list", "--selector", "=="});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_EQ(outcome.err, "zctl: selector: '=='\n");
}

TEST_F(FleetTest, WhatPairsAreCalledCannotSteerTheTerminal) {
  v1::PairSummary& pair = controller_.AddPair("\x1b[2J", v1::STATUS_GREEN, "\x1b[H", "a\nb\x1b[m");
  (*pair.mutable_labels())["\x1b[1m"] = "\x1b]0;x\x07";
  pair.mutable_nodes(0)->set_name("\x1b[3J");
  *controller_.show.mutable_summary() = pair;
  controller_.show.add_views()->set_node("\x1b[4m");
  v1::FleetEvent& event = *controller_.show.add_events();
  event.set_pair("\x1b[5m");
  event.mutable_event()->set_name("\x1b[6m");
  event.mutable_event()->add_fields()->set_name("\x1b[7m");
  event.mutable_event()->mutable_fields(0)->set_value("\x1b[8m \x1b[9m");
  controller_.labels.mutable_labels()->insert({"\x1b", "\x1b"});
  for (const std::vector<std::string>& words : {std::vector<std::string>{"list"},
                                                {"list", "-o", "json"},
                                                {"list", "-o", "yaml"},
                                                {"show", "p"},
                                                {"show", "p", "-o", "json"},
                                                {"label", "p", "a=b"}}) {
    const Outcome outcome = Ask(words);
    EXPECT_EQ(outcome.code, kOk) << outcome.err;
    EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b"))) << words[0];
  }
}

// ---- show

class FleetShowTest : public FleetTest {
 protected:
  void SetUp() override {
    v1::PairSummary& pair = controller_.AddPair("web-1", v1::STATUS_GREEN, "lb1");
    pair.set_ready(true);
    pair.set_flows(80311);
    pair.set_term(8);
    pair.set_generation(3);
    (*pair.mutable_labels())["env"] = "prod";
    v1::FleetNode& node = *pair.mutable_nodes(0);
    node.set_ip("192.0.2.1");
    node.set_connected(true);
    node.mutable_age()->set_nanos(400000);
    node.set_version("0.1.0");
    node.set_allow(v1::RIGHT_OPERATOR);
    node.set_message("master since term 8");
    *controller_.show.mutable_summary() = pair;
    v1::ShowPairResponse::View& view = *controller_.show.add_views();
    view.set_node("lb1");
    view.mutable_age()->set_seconds(2);
    view.mutable_certificate_expires()->set_seconds(1767225600);
    view.mutable_enrolled()->set_seconds(1764547200);
    view.set_events_taken(12);
    v1::GetStatusResponse& status = *view.mutable_status();
    status.set_version("0.1.0");
    status.set_term(8);
    status.mutable_advert_interval()->set_nanos(100000000);
    status.add_not_ready("lb2 lacks 3 flows");
    status.mutable_link()->set_up(true);
    status.mutable_link()->set_address("10.30.0.2:7700");
    status.mutable_link()->set_version("0.1.0");
    status.mutable_conntrack()->set_synchronised(true);
    status.mutable_conntrack()->set_flows(80311);
    v1::Vip& vip = *status.add_vips();
    vip.set_address("192.0.2.10/24");
    vip.set_interface("front");
    vip.set_held(true);
    controller_.show.add_views()->set_node("lb2");
    v1::FleetEvent& event = *controller_.show.add_events();
    event.set_number(7);
    event.set_pair("web-1");
    event.set_node("lb1");
    event.mutable_event()->set_name("promoted");
    event.mutable_event()->mutable_at()->set_seconds(1767225600);
    v1::Event::Field& field = *event.mutable_event()->add_fields();
    field.set_name("cause");
    field.set_value("no advert");
  }
};

TEST_F(FleetShowTest, TellsAllOnOneScreen) {
  const Outcome outcome = Ask({"show", "web-1"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(controller_.asked, ElementsAre("Show web-1"));
  EXPECT_EQ(outcome.out,
            "web-1 is GREEN: all is well\n"
            "a failover right now would succeed, 80,311 flows, term 8, generation 3, labels "
            "env=prod\n"
            "\n"
            "Nodes\n"
            "  NODE  ROLE    IP         STATUS  AGENT      HEARD   VERSION  ALLOW     MESSAGE\n"
            "  lb1   MASTER  192.0.2.1  GREEN   connected  0.4 ms  0.1.0    operator  master since "
            "term 8\n"
            "  lb2   BACKUP             GREEN   away       never   -        unknown\n"
            "\n"
            "As lb1 sees it, 2.0 s ago\n"
            "  enrolled 2025-12-01 00:00:00 UTC, certificate until 2026-01-01 00:00:00 UTC, events "
            "up to 12 taken\n"
            "  agent 0.1.0, term 8, an advert each 100 ms\n"
            "  Readiness\n"
            "  NOT READY\n"
            "  - lb2 lacks 3 flows\n"
            "  VIPs\n"
            "  192.0.2.10/24  front  held\n"
            "  Peer link\n"
            "  up, 10.30.0.2:7700, agent 0.1.0\n"
            "  Connections\n"
            "  synchronised, 80,311 flows\n"
            "  0 changes, 0 snapshots, 0 overruns, 0 refused\n"
            "  Synchronised roots\n"
            "  none\n"
            "\n"
            "As lb2 sees it\n"
            "  events up to 0 taken\n"
            "  it has told nothing yet\n"
            "\n"
            "Last events\n"
            "  2026-01-01 00:00:00.000 UTC  web-1/lb1  promoted  cause=\"no advert\"\n");
}

TEST_F(FleetShowTest, AsJsonHasTheSame) {
  const std::string out = Ask({"show", "web-1", "-o", "json"}).out;
  EXPECT_THAT(
      out, AllOf(HasSubstr(R"({"pair": {"name": "web-1", "status": "GREEN",)"),
                 HasSubstr(R"("views": [{"node": "lb1", "age_seconds": 2, )"
                           R"("certificate_expires": "2026-01-01T00:00:00Z", )"
                           R"("enrolled": "2025-12-01T00:00:00Z", "events_taken": 12, )"
                           R"("status": {"pair": "")"),
                 HasSubstr(R"("not_ready": ["lb2 lacks 3 flows"])"),
                 HasSubstr(R"({"node": "lb2", "age_seconds": null, )"
                           R"("certificate_expires": null, "enrolled": null, )"
                           R"("events_taken": 0, "status": null}])"),
                 HasSubstr(
                     R"("events": [{"number": 7, "at": "2026-01-01T00:00:00.000Z", )"
                     R"("received": "1970-01-01T00:00:00.000Z", "pair": "web-1", )"
                     R"("node": "lb1", "journal_number": 0, "name": "promoted", "warning": false, )"
                     R"("fields": {"cause": "no advert"}}]})")));
}

TEST_F(FleetTest, APairThatIsNotThereIsAFailure) {
  controller_.ends["Show"] = grpc::Status(grpc::StatusCode::NOT_FOUND, "no pair 'x'; there are: y");
  const Outcome outcome = Ask({"show", "x"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.err, "zctl: no pair 'x'; there are: y\n");
  EXPECT_EQ(Ask({"show"}).code, kUsage);
}

// ---- token

TEST_F(FleetTest, ATokenIsAloneOnStandardOutput) {
  controller_.token.set_token("zf1.abc");
  controller_.token.mutable_expires()->set_seconds(1767225600);
  const Outcome outcome = Ask(
      {"token", "--pair", "web-1", "--label", "env=prod", "--label", "note=", "--lifetime", "2h"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_EQ(outcome.out, "zf1.abc\n");
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("enrols one node, until 2026-01-01 00:00:00 UTC"),
                    HasSubstr("/etc/zcluster/controller.token"),
                    HasSubstr("addresses: [\"CONTROLLER:7800\"]"), Not(HasSubstr("zf1.abc"))));
  EXPECT_EQ(controller_.token_request.pair(), "web-1");
  EXPECT_EQ(controller_.token_request.labels().at("env"), "prod");
  EXPECT_EQ(controller_.token_request.labels().at("note"), "");
  EXPECT_EQ(controller_.token_request.lifetime().seconds(), 7200);
  EXPECT_EQ(Ask({"token", "-o", "json"}).out,
            "{\"token\": \"zf1.abc\", \"expires\": \"2026-01-01T00:00:00Z\"}\n");
  EXPECT_FALSE(controller_.token_request.has_lifetime());
}

TEST_F(FleetTest, ATokensWordsAreChecked) {
  EXPECT_THAT(Ask({"token", "--label", "env"}).err, HasSubstr("'env' is not KEY=VALUE"));
  EXPECT_THAT(Ask({"token", "--label", "a=1", "--label", "a=2"}).err, HasSubstr("given twice"));
  EXPECT_EQ(Ask({"token", "--lifetime", "soon"}).code, kUsage);
  EXPECT_THAT(controller_.asked, IsEmpty());
}

// ---- label, forget

TEST_F(FleetTest, LabelsAreSetAndRemoved) {
  controller_.labels.mutable_labels()->insert({"env", "prod"});
  const Outcome outcome = Ask({"label", "web-1", "env=prod", "a=b=c", "tier-"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "web-1 has env=prod\n");
  EXPECT_EQ(controller_.label.pair(), "web-1");
  EXPECT_EQ(controller_.label.set().at("env"), "prod");
  EXPECT_EQ(controller_.label.set().at("a"), "b=c");
  EXPECT_THAT(controller_.label.remove(), ElementsAre("tier"));
  EXPECT_EQ(Ask({"label", "web-1", "tier-", "-o", "json"}).out,
            "{\"pair\": \"web-1\", \"labels\": {\"env\": \"prod\"}}\n");
}

TEST_F(FleetTest, LabelsThatAreNoneAreWrongUsage) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"label", "web-1"},
                                                {"label", "web-1", "env"},
                                                {"label", "web-1", "=x"},
                                                {"label", "web-1", "-"},
                                                {"label", "web-1", "a=1", "a-"}}) {
    EXPECT_EQ(Ask(words).code, kUsage) << words.back();
  }
  EXPECT_THAT(controller_.asked, IsEmpty());
}

TEST_F(FleetTest, ForgetWantsAYes) {
  const Outcome refused = Ask({"forget", "web-1"});
  EXPECT_EQ(refused.code, kUnconfirmed);
  EXPECT_THAT(refused.err, HasSubstr("--yes"));
  EXPECT_THAT(controller_.asked, IsEmpty());
  EXPECT_THAT(Ask({"forget", "web-1", "--yes"}).out, HasSubstr("web-1 is in the fleet no longer"));
  EXPECT_EQ(Ask({"forget", "web-1/lb2", "--yes", "-o", "json"}).out,
            "{\"forgotten\": \"web-1/lb2\"}\n");
  EXPECT_THAT(controller_.asked, ElementsAre("Forget web-1/", "Forget web-1/lb2"));
  EXPECT_EQ(Ask({"forget", "web-1/", "--yes"}).code, kUsage);
}

TEST_F(FleetTest, ForgetNamesTheNodesInItsQuestion) {
  *controller_.show.mutable_summary() = controller_.AddPair("web-1", v1::STATUS_GREEN, "lb1");
  Screen no(Words({"forget", "web-1"}));
  ASSERT_TRUE(no.Shows("Forget the pair web-1 of lb1 and lb2?"));
  no.Type("n\n");
  EXPECT_EQ(no.Ends(), kUnconfirmed);
  EXPECT_THAT(controller_.asked, ElementsAre("Show web-1"));
  Screen yes(Words({"forget", "web-1/lb2"}));
  ASSERT_TRUE(yes.Shows("Forget the node lb2 of the pair web-1?"));
  yes.Type("y\n");
  EXPECT_EQ(yes.Ends(), kOk);
  EXPECT_EQ(controller_.asked.back(), "Forget web-1/lb2");
}

// ---- who answers

TEST(Fleet, SaysThatNoControllerAnswers) {
  unsetenv("ZCTL_CONTEXT");
  setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
  const Outcome outcome = Invoke({"fleet", "list", "--socket", "/nonexistent/controller.sock"});
  EXPECT_EQ(outcome.code, kUnreachable);
  EXPECT_EQ(outcome.err,
            "zctl: no controller answers on /nonexistent/controller.sock; is zcontroller running? "
            "(journalctl -u zcontroller)\n");
  // Without a choice: the controller on this machine.
  EXPECT_THAT(Invoke({"fleet", "list", "--timeout", "1ms"}).err,
              HasSubstr("/run/zcluster/controller.sock"));
  EXPECT_THAT(Invoke({"--context", "controller", "audit", "--timeout", "1ms"}).err,
              HasSubstr("/run/zcluster/controller.sock"));
  unsetenv("XDG_CONFIG_HOME");
}

TEST_F(CtlTest, AFleetsVerbSaysThatAnAgentAnswers) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"fleet", "list"},
                                                {"fleet", "switchover", "web-1"},
                                                {"fleet", "events", "--follow"}}) {
    const Outcome outcome = Ask(words);
    EXPECT_EQ(outcome.code, kFailed);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("an agent answers on " + agent_.socket() +
                                             ", not a controller; `zctl fleet " + words[1]),
                                   HasSubstr("--context")));
  }
}

TEST_F(FleetTest, AnAgentsVerbNamesTheFleetsOne) {
  const auto err = [this](std::vector<std::string> words) {
    words.insert(words.begin(), {"--socket", controller_.socket()});
    const Outcome outcome = Invoke(words);
    EXPECT_EQ(outcome.code, kFailed);
    return outcome.err;
  };
  EXPECT_THAT(err({"nodes"}),
              HasSubstr("a controller answers on " + controller_.socket() + ", not an agent; "));
  EXPECT_THAT(err({"nodes"}), HasSubstr("`zctl fleet show PAIR`"));
  EXPECT_THAT(err({"watch"}), HasSubstr("`zctl fleet watch`"));
  EXPECT_THAT(err({"switchover"}), HasSubstr("`zctl fleet switchover PAIR`"));
  EXPECT_THAT(err({"run", "x"}), HasSubstr("`zctl fleet run PAIR NAME`"));
  EXPECT_THAT(err({"cluster", "describe"}),
              HasSubstr("`zctl cluster describe` is for a node of a pair"));
}

TEST_F(FleetTest, AnOlderControllerIsNamedAsSuch) {
  controller_.ends["Show"] = grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  EXPECT_THAT(Ask({"show", "p"}).err, HasSubstr("the controller does not know this request"));
}

TEST_F(FleetTest, OperatorsAreAddedAtAController) {
  v1::AddOperatorRequest request;
  controller_.admit = [&request](const v1::AddOperatorRequest& asked) {
    request = asked;
    v1::AddOperatorResponse response;
    response.set_pair("fleet");
    response.add_addresses("192.0.2.100:7802");
    return response;
  };
  const std::string file = controller_.socket() + ".zctl";
  const Outcome outcome = Invoke({"--context", "controller", "--socket", controller_.socket(),
                                  "operator", "add", "anna", "--role", "operator", "--out", file});
  unlink(file.c_str());
  ASSERT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(request.name(), "anna");
  EXPECT_THAT(outcome.out, HasSubstr("may reach the fleet fleet at 192.0.2.100:7802"));
  EXPECT_THAT(
      Invoke({"--context", "controller", "--socket", controller_.socket(), "operator", "list"}).out,
      HasSubstr("nobody reaches the fleet from elsewhere"));
}

}  // namespace
}  // namespace zcluster::ctl
