// SPDX-License-Identifier: Apache-2.0
// zctl conntrack: what it shows of an agent's answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "tests/ctl/invoke.h"
#include "tests/ctl/screen.h"

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
    verified.mutable_standby()->mutable_counts()->set_filtered(7);
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
            "NODE   ROLE    FORWARDED  WITH NAT  END ON MASTER  END ON BACKUP  OWN  FILTERED\n"
            "node1  MASTER  0          80,311    0              0              0    0\n"
            "node2  BACKUP  0          80,311    0              3              0    7\n");
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

TEST_F(ConntrackTest, ListIsALineEach) {
  v1::ListedFlow& listed = *agent_.listed.add_flows();
  *listed.mutable_flow() = Tcp(40312);
  listed.mutable_flow()->set_mark(0x10);
  listed.set_flow_class(v1::FLOW_CLASS_TRANSLATED);
  listed.set_timeout(299);
  agent_.listed.set_more(true);
  const Outcome outcome = Ask({"conntrack", "list"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "tcp     198.51.100.7:40312 -> 192.0.2.10:443 => 198.51.100.7:40312 -> 10.1.0.2:8443  "
            "mark 0x10  ESTABLISHED  4m59s\n");
  EXPECT_EQ(outcome.err, "zctl: there are more (--limit)\n");
  const YAML::Node json = YAML::Load(Ask({"conntrack", "list", "-o", "json"}).out);
  EXPECT_EQ(json["class"].as<std::string>(), "translated");
  EXPECT_EQ(json["timeout_seconds"].as<int>(), 299);
  EXPECT_EQ(json["translated"]["destination"].as<std::string>(), "10.1.0.2");
}

TEST_F(ConntrackTest, ListAsksForWhatIsSelected) {
  EXPECT_EQ(Ask({"conntrack", "list", "--protocol", "tcp", "--address", "10.1.0.0/24", "--port",
                 "443", "--state", "time_wait", "--mark", "0x10/0xf0", "--zone", "3", "--nat",
                 "--class", "local", "--limit", "5"})
                .code,
            kOk);
  const v1::FlowFilter& filter = agent_.list_request.filter();
  EXPECT_EQ(filter.protocol(), 6u);
  EXPECT_EQ(filter.address(), std::string("\x0a\x01\x00\x00", 4));
  EXPECT_EQ(filter.prefix_length(), 24u);
  EXPECT_EQ(filter.port(), 443u);
  EXPECT_EQ(filter.tcp_state(), 7u);
  EXPECT_FALSE(filter.unreplied());
  EXPECT_EQ(filter.mark(), 0x10u);
  EXPECT_EQ(filter.mark_mask(), 0xf0u);
  EXPECT_EQ(filter.zone(), 3u);
  EXPECT_TRUE(filter.translated());
  EXPECT_EQ(filter.flow_class(), v1::FLOW_CLASS_LOCAL);
  EXPECT_EQ(agent_.list_request.limit(), 5u);
  EXPECT_EQ(Ask({"conntrack", "list", "--address", "2001:db8::1", "--state", "unreplied",
                 "--protocol", "89"})
                .code,
            kOk);
  EXPECT_EQ(agent_.list_request.filter().prefix_length(), 128u);
  EXPECT_TRUE(agent_.list_request.filter().unreplied());
  EXPECT_EQ(agent_.list_request.filter().protocol(), 89u);
}

TEST_F(ConntrackTest, FiltersRefuseWhatIsNone) {
  const std::vector<std::vector<std::string>> wrong = {{"--protocol", "carrier-pigeon"},
                                                       {"--protocol", "256"},
                                                       {"--address", "here"},
                                                       {"--address", "10.0.0.1/33"},
                                                       {"--address", "::/129"},
                                                       {"--state", "HAPPY"},
                                                       {"--mark", "red"},
                                                       {"--mark", "1/2/3"},
                                                       {"--port", "0"},
                                                       {"--port", "65536"},
                                                       {"--zone", "65536"},
                                                       {"--class", "first"},
                                                       {"--limit", "0"}};
  for (const std::vector<std::string>& words : wrong) {
    const Outcome outcome = Ask({"conntrack", "list", words[0], words[1]});
    EXPECT_EQ(outcome.code, kUsage) << words[0] << " " << words[1];
    EXPECT_THAT(outcome.err, HasSubstr(words[0]));
  }
  EXPECT_THAT(agent_.calls, testing::IsEmpty());
}

TEST_F(ConntrackTest, StatsAreATableAndWhatReplicationDoes) {
  v1::FlowStats& stats = agent_.flow_stats;
  stats.set_node("node1");
  stats.set_entries(80320);
  stats.set_maximum(262144);
  v1::FlowGroup& udp = *stats.add_groups();
  udp.set_protocol(17);
  udp.set_flow_class(v1::FLOW_CLASS_LOCAL);
  udp.set_flows(9);
  v1::FlowGroup& tcp = *stats.add_groups();
  tcp.set_protocol(6);
  tcp.set_tcp_state(3);
  tcp.set_replied(true);
  tcp.set_flow_class(v1::FLOW_CLASS_TRANSLATED);
  tcp.set_flows(80300);
  v1::ReplicationStats& replication = *stats.mutable_replication();
  replication.set_enabled(true);
  replication.set_master(true);
  replication.set_synchronised(true);
  replication.set_flows(80300);
  replication.set_changes(90000);
  replication.set_batches(120);
  replication.set_bytes(5 << 20);
  replication.set_memory(80300 * 65);
  replication.set_missing(42);
  replication.mutable_lag()->set_nanos(400000);
  replication.mutable_equal_for()->set_seconds(3700);
  const Outcome outcome = Ask({"conntrack", "stats"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "node1: 80,320 of at most 262,144 entries\n"
            "\n"
            "PROTOCOL  STATE        CLASS       FLOWS\n"
            "tcp       ESTABLISHED  translated  80,300\n"
            "udp       UNREPLIED    local       9\n"
            "others                             11\n"
            "\n"
            "replication    sends, synchronised\n"
            "replicated     80,300 flows\n"
            "lag            0.4 ms\n"
            "sent and held  the same for 1h01m\n"
            "changes        90,000; batches: 120, 5.0 MiB\n"
            "snapshots      0\n"
            "overruns       0\n"
            "refused        0\n"
            "missing        42\n"
            "gave way       0\n"
            "memory         5.0 MiB (65 B a flow)\n"
            "verified       0 times, 0 flows differed, 0 repairs\n");
  const YAML::Node json = YAML::Load(Ask({"conntrack", "stats", "-o", "json"}).out);
  EXPECT_EQ(json["others"].as<int>(), 11);
  EXPECT_EQ(json["groups"][1]["flows"].as<int>(), 80300);
  EXPECT_EQ(json["replication"]["lag_ms"].as<double>(), 0.4);
  EXPECT_EQ(json["replication"]["missing"].as<int>(), 42);
  EXPECT_EQ(json["replication"]["equal_for_seconds"].as<int>(), 3700);
}

v1::TopFlows TopOf(uint32_t flows) {
  v1::TopFlows top;
  top.set_node("node1");
  top.set_flows(flows);
  top.set_groups(1);
  top.set_new_per_second(1.5);
  v1::TopRow& row = *top.add_rows();
  row.set_address(std::string("\x0a\x01\x00\x02", 4));
  row.set_port(8443);
  row.set_protocol(6);
  row.set_flows(flows);
  row.set_new_per_second(1.5);
  return top;
}

TEST_F(ConntrackTest, TopIsOneTableWithoutATerminal) {
  agent_.tops = {TopOf(1), TopOf(4321), TopOf(3)};
  const Outcome outcome = Ask({"conntrack", "top", "--by", "backend", "--every", "5s"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(": 4,321 connections, 1.5 new a second, of 1 backend\n"),
                                 HasSubstr("BACKEND            CONNECTIONS  NEW/S\n"
                                           "tcp 10.1.0.2:8443  4,321        1.5\n")));
  EXPECT_EQ(agent_.top_request.by(), v1::TOP_BY_BACKEND);
  EXPECT_EQ(agent_.top_request.interval().seconds(), 5);
  const YAML::Node json = YAML::Load(Ask({"conntrack", "top", "-o", "json"}).out);
  EXPECT_EQ(json["rows"][0]["new_per_second"].as<double>(), 1.5);
  EXPECT_EQ(agent_.top_request.by(), v1::TOP_BY_CLIENT);
}

TEST_F(ConntrackTest, TopIsDrawnAnewOnATerminal) {
  agent_.tops = {TopOf(1), TopOf(4321)};
  Screen screen({"--socket", agent_.socket(), "conntrack", "top"});
  ASSERT_TRUE(screen.Shows("4,321"));
  ASSERT_TRUE(screen.Shows("Ctrl-C ends"));
  screen.Type("\x03");
  EXPECT_EQ(screen.Ends(), kOk);
}

TEST_F(ConntrackTest, TopSaysWhatTheAgentRefuses) {
  agent_.ends["TopFlows"] = {grpc::StatusCode::RESOURCE_EXHAUSTED, "3 calls read it already"};
  const Outcome outcome = Ask({"conntrack", "top"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("3 calls read it already"));
}

}  // namespace
}  // namespace zcluster::ctl
