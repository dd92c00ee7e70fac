// SPDX-License-Identifier: Apache-2.0
// zctl conntrack: what it shows of an agent's answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "tests/ctl/invoke.h"

namespace zcluster::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

v1::Flow Tcp(uint32_t port) {
  v1::Flow flow;
  flow.set_protocol(6);
  flow.set_source_v4(0xc6336407);       // 198.51.100.7
  flow.set_destination_v4(0xc000020a);  // 192.0.2.10
  flow.set_source_port(port);
  flow.set_destination_port(443);
  flow.set_reply_source_v4(0x0a010002);  // 10.1.0.2
  flow.set_reply_source_port(8443);
  flow.set_status(0x1be);
  flow.set_tcp(3);
  return flow;
}

class ConntrackTest : public CtlTest {
 protected:
  ConntrackTest() {
    v1::VerifiedFlows& verified = agent_.verified.emplace_back();
    verified.mutable_master()->set_node("node1");
    verified.mutable_master()->mutable_counts()->set_translated(80311);
    verified.mutable_standby()->set_node("node2");
    verified.mutable_standby()->mutable_counts()->set_translated(80311);
    verified.mutable_standby()->mutable_counts()->set_ends_on_standby(3);
    verified.mutable_took()->set_nanos(90000000);
  }
  // Another comparison, with one difference of each kind.
  v1::VerifiedFlows Different() {
    v1::VerifiedFlows verified = agent_.verified[0];
    *verified.add_differences()->mutable_master() = Tcp(1);
    *verified.add_differences()->mutable_standby() = Tcp(2);
    v1::FlowDifference& changed = *verified.add_differences();
    *changed.mutable_master() = Tcp(3);
    *changed.mutable_standby() = Tcp(3);
    changed.mutable_standby()->set_mark(9);
    changed.mutable_standby()->set_reply_source_v4(0x0a010003);
    verified.set_differing(5);
    return verified;
  }
};

TEST_F(ConntrackTest, VerifySaysThatTheTablesAreEqual) {
  const Outcome outcome = Ask({"conntrack", "verify"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "equal: both kernels hold the same of 80,311 flows (90 ms)\n"
            "\n"
            "NODE   ROLE    FORWARDED  WITH NAT  END ON MASTER  END ON BACKUP  OWN\n"
            "node1  MASTER  0          80,311    0              0              0\n"
            "node2  BACKUP  0          80,311    0              3              0\n");
  EXPECT_EQ(outcome.err, "zctl: reading the master's table\n");
}

TEST_F(ConntrackTest, VerifyCountsWhatWasInMotion) {
  agent_.verified[0].set_in_motion(1214);
  const Outcome outcome = Ask({"conntrack", "verify"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_THAT(outcome.out, HasSubstr("in motion: 1,214 flows changed while they were compared\n"));
}

TEST_F(ConntrackTest, VerifyShowsWhatDiffers) {
  agent_.verified = {Different()};
  const Outcome outcome = Ask({"conntrack", "verify", "--limit", "3"});
  EXPECT_EQ(outcome.code, kDifferent) << outcome.err;
  EXPECT_EQ(agent_.verify_request.limit(), 3u);
  const std::string flow = " -> 192.0.2.10:443 => 198.51.100.7:";
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("different: 5 of 80,311 flows not the same in both kernels"),
                    HasSubstr("tcp     198.51.100.7:1" + flow + "1 -> 10.1.0.2:8443"),
                    HasSubstr("\n      missing on node2\n"), HasSubstr("\n      only on node2\n"),
                    HasSubstr("\n      differs: nat 198.51.100.7:3 -> 10.1.0.2:8443 on node1, "
                              "198.51.100.7:3 -> 10.1.0.3:8443 on node2; mark 0x0 on node1, 0x9 on "
                              "node2\n"),
                    HasSubstr("  and 2 more (--limit)\n")));
}

TEST_F(ConntrackTest, VerifyIsOneObjectForPrograms) {
  agent_.verified = {Different()};
  const Outcome outcome = Ask({"conntrack", "verify", "-o", "json"});
  EXPECT_EQ(outcome.code, kDifferent);
  EXPECT_EQ(outcome.err, "");
  const YAML::Node json = YAML::Load(outcome.out);
  EXPECT_FALSE(json["equal"].as<bool>());
  EXPECT_EQ(json["differing"].as<int>(), 5);
  ASSERT_EQ(json["differences"].size(), 3u);
  EXPECT_FALSE(json["differences"][0]["on_standby"].as<bool>());
  EXPECT_EQ(json["differences"][2]["fields"][1]["field"].as<std::string>(), "mark");
  EXPECT_EQ(json["differences"][2]["flow"]["original"]["source_port"].as<int>(), 3);
}

TEST_F(ConntrackTest, ARepairIsComparedAnew) {
  agent_.verified = {Different(), agent_.verified[0]};
  const Outcome outcome = Ask({"conntrack", "verify", "--repair"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("different: 5"), HasSubstr("equal: both")));
  EXPECT_THAT(agent_.calls, testing::ElementsAre("VerifyFlows", "RepairFlows", "VerifyFlows"));
}

TEST_F(ConntrackTest, NothingIsRepairedThatIsEqual) {
  EXPECT_EQ(Ask({"conntrack", "verify", "--repair"}).code, kOk);
  EXPECT_THAT(agent_.calls, testing::ElementsAre("VerifyFlows"));
}

TEST_F(ConntrackTest, WhatCannotBeComparedIsSaidWhy) {
  agent_.ends["VerifyFlows"] = {grpc::StatusCode::FAILED_PRECONDITION, "no master sends its flows"};
  const Outcome outcome = Ask({"conntrack", "verify"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("zctl: no master sends its flows\n"));
}

TEST_F(ConntrackTest, ANameCannotMisleadATerminal) {
  agent_.verified[0] = Different();
  agent_.verified[0].mutable_standby()->set_node("\x1b[2J");
  EXPECT_THAT(Ask({"conntrack", "verify"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(ConntrackTest, VerifyRefusesALimitThatIsNone) {
  EXPECT_EQ(Ask({"conntrack", "verify", "--limit", "0"}).code, kUsage);
  EXPECT_EQ(Ask({"conntrack", "verify", "--limit", "1001"}).code, kUsage);
}

}  // namespace
}  // namespace zcluster::ctl
