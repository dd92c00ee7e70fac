// SPDX-License-Identifier: Apache-2.0
// zctl cluster describe, configure, apply, edit, unconfigure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "common/file.h"
#include "tests/ctl/invoke.h"
#include "tests/ctl/screen.h"
#include "tests/support/certificates.h"

namespace zcluster::ctl {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class ChangeTest : public CtlTest {
 protected:
  void SetUp() override {
    v1::PairConfig& config = *agent_.describe.mutable_config();
    config.set_name("main");
    config.mutable_vrrp()->set_router_id(51);
    config.mutable_vrrp()->mutable_advert_interval()->set_nanos(200000000);
    config.set_failback(v1::FAILBACK_KEEP);
    config.add_vips()->set_address("192.0.2.10/24");
    config.set_generation(7);
    config.set_term(3);
    agent_.describe.set_document("name: main\ngeneration: 7\n");
    agent_.describe.set_split_brain("AVAILABILITY");
    AddMember("lb1", "192.0.2.1", "eth0", 7);
    AddMember("lb2", "192.0.2.2", "ens3", 6);
    agent_.plan.set_before("name: main\nfailback: KEEP\n");
    agent_.plan.set_after("name: main\nfailback: PREFERRED\n");
    agent_.plan.set_generation(7);
    agent_.AddStep("both nodes agree", 4);
  }
  void AddMember(const std::string& name, const std::string& address, const std::string& interface,
                 uint64_t generation) {
    auto& member = *agent_.describe.add_members();
    member.set_name(name);
    member.set_address(address);
    member.set_interface(interface);
    member.set_generation(generation);
    member.mutable_certificate_expires()->set_seconds(1767225600);
  }
  std::vector<std::string> OnScreen(std::vector<std::string> words) {
    words.insert(words.begin(), {"--socket", agent_.socket(), "cluster"});
    return words;
  }
};

// ---- describe

TEST_F(ChangeTest, DescribeIsOneScreen) {
  auto& root = *agent_.describe.mutable_config()->add_roots();
  root.set_path("/etc/haproxy");
  root.add_exclude("*.tmp");
  agent_.describe.mutable_config()->add_operators()->set_name("anna");
  auto& conntrack = *agent_.describe.mutable_config()->mutable_conntrack();
  auto& skip = *conntrack.add_skip();
  skip.set_protocol("tcp");
  skip.add_state("SYN_SENT");
  skip.add_state("TIME_WAIT");
  auto& only = *conntrack.add_only();
  only.set_source("10.1.0.0/16");
  only.set_direction(v1::PairConfig::Conntrack::DIRECTION_REPLY);
  auto& health = *agent_.describe.mutable_config()->mutable_health();
  health.add_interfaces("front");
  health.add_gateways("192.0.2.254");
  auto& check = *health.mutable_check();
  check.add_command("/usr/bin/check-web");
  check.add_command("-q");
  check.mutable_interval()->set_seconds(2);
  check.mutable_timeout()->set_seconds(1);
  check.set_rise(2);
  check.set_fall(3);
  const Outcome outcome = Ask({"cluster", "describe"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_EQ(
      outcome.out,
      "PAIR            main\n"
      "INTERFACE       lb1: eth0 (192.0.2.1)\n"
      "                lb2: ens3 (192.0.2.2)\n"
      "FAILBACK        KEEP: the current master stays\n"
      "CHECK INTERVAL  200 ms\n"
      "VIPS            192.0.2.10/24\n"
      "CONNECTIONS     replicated\n"
      "                only source 10.1.0.0/16, direction REPLY\n"
      "                not protocol tcp, state SYN_SENT|TIME_WAIT\n"
      "ROOTS           /etc/haproxy without *.tmp\n"
      "HEALTH          interface front\n"
      "                gateway 192.0.2.254\n"
      "                check /usr/bin/check-web -q each 2.0 s, killed after 1.0 s, rise 2, fall "
      "3\n"
      "SPLIT BRAIN     AVAILABILITY\n"
      "GENERATION      7; lb2 holds 6\n"
      "MEMBERS         lb1: 192.0.2.1, certificate good until 2026-01-01 00:00:00 UTC\n"
      "                lb2: 192.0.2.2, certificate good until 2026-01-01 00:00:00 UTC\n"
      "ROUTER ID       51\n"
      "ADVERTS         unicast\n"
      "COMMANDS        0\n"
      "OPERATORS       1\n");
}

TEST_F(ChangeTest, DescribeAsYamlIsTheDocumentToTheByte) {
  EXPECT_EQ(Ask({"cluster", "describe", "-o", "yaml"}).out, "name: main\ngeneration: 7\n");
}

TEST_F(ChangeTest, DescribeAsJsonHasEveryPromisedKey) {
  agent_.describe.mutable_members()->RemoveLast();
  auto& skip = *agent_.describe.mutable_config()->mutable_conntrack()->add_skip();
  skip.set_protocol("udp");
  skip.set_port("53");
  EXPECT_EQ(
      Ask({"cluster", "describe", "-o", "json"}).out,
      R"({"pair": "main", "generation": 7, "term": 3, "members": [{"name": "lb1", )"
      R"("address": "192.0.2.1", "interface": "eth0", "generation": 7, )"
      R"("certificate_expires": "2026-01-01T00:00:00Z"}], "router_id": 51, "multicast": false, )"
      R"("check_interval_ms": 200, "failback": "KEEP", "preferred": null, )"
      R"("split_brain": "AVAILABILITY", "vips": [{"address": "192.0.2.10/24", "interface": ""}], )"
      R"("replicate_connections": true, "replicate_only": [], )"
      R"("replicate_skip": [{"protocol": "udp", "port": "53"}], "roots": [], )"
      R"("health": {"interfaces": [], "gateways": [], "check": null}, )"
      R"("commands": [], "operators": []})"
      "\n");
}

// ---- configure

TEST_F(ChangeTest, ConfigureShowsTheDiffAndAppliesItToThatGeneration) {
  const Outcome outcome = Ask({"cluster",       "configure",     "--failback",       "PREFERRED",
                               "--preferred",   "lb1",           "--check-interval", "200ms",
                               "--vip-add",     "192.0.2.11/24", "--vip-remove",     "192.0.2.10",
                               "--track-add",   "front",         "--track-remove",   "back",
                               "--gateway-add", "192.0.2.254",   "--gateway-remove", "fd10::1"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, MatchesRegex("@@ -1,2 \\+1,2 @@\n name: main\n-failback: KEEP\n"
                                        "\\+failback: PREFERRED\n"
                                        "     4 ms  both nodes agree\n"
                                        "changed on both nodes in [0-9.]+ m?s\n"));
  const v1::Change& change = agent_.applied.change();
  EXPECT_EQ(change.failback(), v1::FAILBACK_PREFERRED);
  EXPECT_EQ(change.preferred(), "lb1");
  EXPECT_EQ(change.check_interval().nanos(), 200000000);
  EXPECT_THAT(change.add_vips(), ElementsAre("192.0.2.11/24"));
  EXPECT_THAT(change.remove_vips(), ElementsAre("192.0.2.10"));
  EXPECT_THAT(change.track_interfaces(), ElementsAre("front"));
  EXPECT_THAT(change.untrack_interfaces(), ElementsAre("back"));
  EXPECT_THAT(change.add_gateways(), ElementsAre("192.0.2.254"));
  EXPECT_THAT(change.remove_gateways(), ElementsAre("fd10::1"));
  EXPECT_EQ(agent_.applied.generation(), 7u);
  EXPECT_FALSE(agent_.applied.accept_disturbance());
  EXPECT_EQ(change.SerializeAsString(), agent_.planned.change().SerializeAsString());
}

TEST_F(ChangeTest, NothingToDoIsSaid) {
  agent_.plan.set_after(agent_.plan.before());
  const Outcome outcome = Ask({"cluster", "configure", "--failback", "KEEP"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_EQ(outcome.out, "nothing to do: the configuration is so already\n");
  EXPECT_THAT(agent_.calls, ElementsAre("Plan"));
}

TEST_F(ChangeTest, DryRunShowsAndDoesNothing) {
  agent_.plan.add_disturbances("the VIP moves");
  const Outcome outcome = Ask({"cluster", "configure", "--failback", "PREFERRED", "--dry-run"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("+failback: PREFERRED\n"),
                                 HasSubstr("This disturbs the traffic:\n  - the VIP moves\n"),
                                 HasSubstr("not applied: --dry-run\n")));
  EXPECT_THAT(agent_.calls, ElementsAre("Plan"));
}

TEST_F(ChangeTest, ADisturbanceNeedsYesWithoutATerminal) {
  agent_.plan.add_disturbances("the VIP moves");
  const Outcome outcome = Ask({"cluster", "configure", "--failback", "PREFERRED"});
  EXPECT_EQ(outcome.code, kUnconfirmed);
  EXPECT_THAT(outcome.err, HasSubstr("needs --yes; nothing was changed"));
  EXPECT_THAT(agent_.calls, ElementsAre("Plan"));
  EXPECT_EQ(Ask({"cluster", "configure", "--failback", "PREFERRED", "--yes"}).code, kOk);
  EXPECT_TRUE(agent_.applied.accept_disturbance());
}

TEST_F(ChangeTest, ADisturbanceIsAskedAboutOnATerminal) {
  agent_.plan.add_disturbances("the VIP moves");
  for (const bool yes : {false, true}) {
    Screen screen(OnScreen({"configure", "--failback", "PREFERRED"}));
    ASSERT_TRUE(screen.Shows("  - the VIP moves"));
    ASSERT_TRUE(screen.Shows("Apply it? [y/N] "));
    screen.Type(yes ? "yes\n" : "\n");
    ASSERT_TRUE(screen.Shows(yes ? "changed on both nodes" : "nothing was changed"));
    EXPECT_EQ(screen.Ends(), yes ? kOk : kUnconfirmed);
    EXPECT_EQ(agent_.applied.accept_disturbance(), yes);
  }
}

TEST_F(ChangeTest, AConflictHasItsOwnExitCode) {
  agent_.ends["Apply"] = grpc::Status(grpc::StatusCode::ABORTED, "generation 8 is there by now");
  const Outcome outcome = Ask({"cluster", "configure", "--failback", "PREFERRED"});
  EXPECT_EQ(outcome.code, kConflict);
  EXPECT_EQ(outcome.err, "zctl: generation 8 is there by now\n");
  agent_.ends["Plan"] = grpc::Status(grpc::StatusCode::ABORTED, "generation 8 is there by now");
  EXPECT_EQ(Ask({"cluster", "configure", "--failback", "PREFERRED"}).code, kConflict);
}

TEST_F(ChangeTest, AnAbortedOperationIsNoConflict) {
  agent_.end = grpc::Status(grpc::StatusCode::ABORTED, "undone half-way");
  EXPECT_EQ(Ask({"switchover"}).code, kFailed);
}

TEST_F(ChangeTest, AsJsonIsOneObject) {
  agent_.plan.add_disturbances("the VIP moves");
  EXPECT_EQ(Ask({"cluster", "configure", "--failback", "PREFERRED", "--yes", "-o", "json"}).out,
            "{\"generation\": 7, \"changed\": true, \"diff\": \"@@ -1,2 +1,2 @@\\n name: main\\n"
            "-failback: KEEP\\n+failback: PREFERRED\\n\", \"disturbances\": [\"the VIP moves\"], "
            "\"applied\": true, \"steps\": [{\"what\": \"both nodes agree\", \"ms\": 4}], \"ok\": "
            "true, \"error\": \"\"}\n");
  agent_.plan.set_after(agent_.plan.before());
  EXPECT_THAT(Ask({"cluster", "configure", "--failback", "KEEP", "-o", "json"}).out,
              AllOf(HasSubstr("\"changed\": false"), HasSubstr("\"applied\": false")));
}

TEST_F(ChangeTest, ConfigureWantsSomethingToChange) {
  const Outcome outcome = Ask({"cluster", "configure", "--yes"});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("nothing to change was given"));
}

// ---- apply

TEST_F(ChangeTest, ApplyGivesTheWholeFile) {
  test::TempDirectory directory;
  const std::string file = directory.path() + "/pair.yaml";
  std::ofstream(file) << "name: main\n";
  EXPECT_EQ(Ask({"cluster", "apply", "-f", file}).code, kOk);
  EXPECT_EQ(agent_.applied.change().document(), "name: main\n");
  EXPECT_EQ(agent_.applied.change().document_name(), file);
}

TEST_F(ChangeTest, ApplyTakesStandardInput) {
  EXPECT_EQ(Ask({"cluster", "apply", "-f", "-", "--dry-run"}, "name: x\n").code, kOk);
  EXPECT_EQ(agent_.planned.change().document(), "name: x\n");
  EXPECT_EQ(agent_.planned.change().document_name(), "standard input");
}

TEST_F(ChangeTest, WhatTheAgentRefusesIsWrongUsage) {
  agent_.ends["Plan"] = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                     "standard input:1: nam: unknown key; expected one of: name");
  const Outcome outcome = Ask({"cluster", "apply", "-f", "-"}, "nam: x\n");
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_EQ(outcome.err, "zctl: standard input:1: nam: unknown key; expected one of: name\n");
}

TEST_F(ChangeTest, ApplyWantsAFileThatIsThere) {
  EXPECT_EQ(Ask({"cluster", "apply"}).code, kUsage);
  const Outcome outcome = Ask({"cluster", "apply", "-f", "/nonexistent/pair.yaml"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/pair.yaml"));
  EXPECT_THAT(Ask({"cluster", "apply", "-f", "-"}).err, HasSubstr("standard input is empty"));
  EXPECT_THAT(agent_.calls, IsEmpty());
}

// ---- edit

class EditTest : public ChangeTest {
 protected:
  // An editor that is a script: $1 is the file.
  std::string Editor(const std::string& script) {
    const std::string path = directory_.path() + "/editor";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    chmod(path.c_str(), 0700);
    return path;
  }
  // zctl without a terminal, with that editor.
  Outcome Edit(const std::string& script, const std::string& name = "EDITOR") {
    unsetenv("VISUAL");
    unsetenv("EDITOR");
    setenv(name.c_str(), Editor(script).c_str(), 1);
    setenv("TMPDIR", directory_.path().c_str(), 1);
    const Outcome outcome = Ask({"cluster", "edit"});
    unsetenv("TMPDIR");
    return outcome;
  }
  // What zctl has left behind.
  std::vector<std::string> Drafts() {
    std::vector<std::string> drafts;
    FILE* list = popen(("ls -A " + directory_.path() + " | grep zctl-edit").c_str(), "r");
    char line[256];
    while (fgets(line, sizeof(line), list) != nullptr) drafts.push_back(line);
    pclose(list);
    return drafts;
  }
  test::TempDirectory directory_;
};

TEST_F(EditTest, AppliesWhatWasEdited) {
  const Outcome outcome = Edit("echo 'failback: PREFERRED' >> \"$1\"");
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(agent_.applied.change().document(),
              AllOf(StartsWith("# The configuration of the pair main."),
                    HasSubstr("name: main\ngeneration: 7\nfailback: PREFERRED\n")));
  EXPECT_THAT(outcome.out, HasSubstr("+failback: PREFERRED"));
  EXPECT_THAT(Drafts(), IsEmpty());
}

TEST_F(EditTest, UnchangedDoesNothing) {
  const Outcome outcome = Edit("true");
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_THAT(outcome.err, HasSubstr("unchanged; nothing was done"));
  EXPECT_THAT(agent_.calls, ElementsAre("Describe"));
  EXPECT_THAT(Drafts(), IsEmpty());
}

TEST_F(EditTest, EmptiedDoesNothing) {
  EXPECT_EQ(Edit(": > \"$1\"").code, kOk);
  EXPECT_THAT(agent_.calls, ElementsAre("Describe"));
}

TEST_F(EditTest, TheDraftIsForNobodyElse) {
  const std::string mode = directory_.path() + "/mode";
  Edit("stat -c %a \"$1\" > " + mode);
  EXPECT_EQ(*ReadFile(mode), "600\n");
}

TEST_F(EditTest, VisualComesBeforeEditor) {
  EXPECT_EQ(Edit("echo '# x' >> \"$1\"", "VISUAL").code, kOk);
  EXPECT_THAT(agent_.calls, Contains("Plan"));
}

TEST_F(EditTest, ARefusedTextIsKept) {
  agent_.ends["Plan"] = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "line 4: no");
  const Outcome outcome = Edit("echo 'x: y' >> \"$1\"");
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("line 4: no"),
                                 HasSubstr("your text is kept in " + directory_.path())));
  EXPECT_EQ(Drafts().size(), 1u);
}

TEST_F(EditTest, AnEditorThatFailsIsNamed) {
  const Outcome outcome = Edit("exit 3");
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("editor' failed; VISUAL or EDITOR names another"));
}

TEST_F(EditTest, ARefusedTextCanBeEditedAgain) {
  agent_.ends["Plan"] = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "line 4: no");
  Screen screen(OnScreen({"edit"}),
                {{"EDITOR", Editor("echo '# again' >> \"$1\"")}, {"TMPDIR", directory_.path()}});
  ASSERT_TRUE(screen.Shows("Edit it again? [y/N] "));
  agent_.ends.clear();
  screen.Type("y\n");
  ASSERT_TRUE(screen.Shows("changed on both nodes"));
  EXPECT_EQ(screen.Ends(), kOk);
  EXPECT_THAT(agent_.applied.change().document(), HasSubstr("# again\n# again\n"));
  EXPECT_THAT(Drafts(), IsEmpty());
}

// ---- unconfigure

TEST_F(ChangeTest, UnconfigureNeedsYesWithoutATerminal) {
  const Outcome outcome = Ask({"cluster", "unconfigure"});
  EXPECT_EQ(outcome.code, kUnconfirmed);
  EXPECT_THAT(outcome.err, HasSubstr("needs --yes"));
  EXPECT_THAT(agent_.calls, IsEmpty());
}

TEST_F(ChangeTest, UnconfigureTellsItsSteps) {
  EXPECT_THAT(Ask({"cluster", "unconfigure", "--yes"}).out,
              HasSubstr("both nodes agree\nboth nodes are as they were in "));
  EXPECT_FALSE(agent_.unconfigured.local());
  EXPECT_EQ(Ask({"cluster", "unconfigure", "--yes", "--local"}).code, kOk);
  EXPECT_TRUE(agent_.unconfigured.local());
}

TEST_F(ChangeTest, UnconfigureNamesWhatItEndsAndAsks) {
  {
    Screen screen(OnScreen({"unconfigure"}));
    ASSERT_TRUE(
        screen.Shows("End the pair main of lb1 and lb2, whose VIPs 192.0.2.10/24 then serve "
                     "nobody? [y/N] "));
    screen.Type("\n");
    EXPECT_EQ(screen.Ends(), kUnconfirmed);
    EXPECT_THAT(agent_.calls, Not(Contains("Unconfigure")));
  }
  Screen screen(OnScreen({"unconfigure", "--local"}));
  ASSERT_TRUE(screen.Shows("Take lb1 alone out of the pair main, without telling lb2? [y/N] "));
  screen.Type("y\n");
  EXPECT_EQ(screen.Ends(), kOk);
  EXPECT_THAT(agent_.calls, Contains("Unconfigure"));
}

}  // namespace
}  // namespace zcluster::ctl
