// SPDX-License-Identifier: Apache-2.0
// Two bare nodes become a pair by `zctl` alone, and are bare again: with a token, with interfaces
// of different names, without a VIP; what serves the client in between is the pair that was made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/lab/support/bare.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;

class CreateTest : public BareScenario {
 protected:
  static void SetUpTestSuite() { RaiseBare("create"); }
};

TEST_F(CreateTest, MakesAPairThatLivesThroughAPowerCut) {
  MustCreate({"--root", "/etc/haproxy"});
  EXPECT_TRUE(lab().Ready()) << "zctl said so: " << lab().Explain();
  EXPECT_TRUE(lab().HoldsAll("node1")) << "the node that it was asked on is the master";
  Traffic connections = Hold(50);
  AwaitReplicated("node1", 50);
  lab().MustRun({"kill", "node1"});
  EXPECT_TRUE(WaitUntil(kLong, [] { return lab().HoldsAll("node2"); }));
  ExpectAllAlive(connections, 50);
  lab().MustRun({"revive", "node1"});
  AwaitReady();
}

TEST_F(CreateTest, TellsEachStepAndItsTime) {
  const Outcome created = Create({"--token-stdin"}, Token() + "\n");
  ASSERT_EQ(created.code, 0) << created.out << created.err;
  size_t at = 0;
  for (const char* step :
       {"reached 10.10.0.2:7701", "admitted by the token", "clocks agree", "interfaces: node1",
        "signed both nodes' requests", "of node1 and started keepalived",
        "of node2 and started keepalived", "the agents have met", "node1 is master", "synchronised",
        "GREEN, seen from both", "the cluster is configured and healthy in"}) {
    const size_t found = created.out.find(step, at);
    EXPECT_NE(found, std::string::npos) << step << " is missing, or out of order, in\n"
                                        << created.out;
    if (found != std::string::npos) at = found;
  }
}

TEST_F(CreateTest, MakesAPairWithoutAVip) {
  ASSERT_EQ(Create({"--token-stdin"}, Token() + "\n").code, 0);
  EXPECT_TRUE(lab().Ready());
  EXPECT_EQ(lab().Holders(), "");
}

TEST_F(CreateTest, SaysTheSecondTimeThatItIsAlreadySo) {
  MustCreate();
  const Outcome again = Create({"--token-stdin"}, "any\n");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("there already"));
  const Outcome other = lab().Exec("node1",
                                   {"zctl", "cluster", "create", "--local-ip", "10.10.0.1",
                                    "--remote-ip", "10.10.0.9", "--token-stdin"},
                                   "any\n");
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, HasSubstr("is in the pair 'main' with node2"));
}

TEST_F(CreateTest, LetsInterfaceNamesDiffer) {
  lab().MustExec("node2", {"sh", "-c",
                           "ip link set front down && ip link set front name lan7 && ip link set "
                           "lan7 up && ip addr add fd10::2/64 dev lan7 nodad"});
  MustCreate();
  std::string described;
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    described = lab().Read("node2", {"zctl", "cluster", "describe"});
    return described.find("lan7") != std::string::npos &&
           described.find("node1: front") != std::string::npos;
  })) << described;
  lab().MustExec("node1", {"zctl", "switchover"});
  const std::string addresses = lab().Read("node2", {"ip", "-o", "addr", "show", "dev", "lan7"});
  EXPECT_THAT(addresses, testing::AllOf(HasSubstr("10.10.0.100/24"), HasSubstr("fd10::100/64")));
  lab().MustExec("node1", {"zctl", "cluster", "unconfigure", "--yes"});
  lab().MustExec("node2", {"sh", "-c",
                           "ip link set lan7 down && ip link set lan7 name front && ip link set "
                           "front up && ip addr add fd10::2/64 dev front nodad"});
}

TEST_F(CreateTest, PrefersAWireOfThePairsOwn) {
  MustCreate({"--local-link", "10.30.0.1", "--remote-link", "10.30.0.2"});
  EXPECT_EQ(lab().Status("node1")["link"]["address"].as<std::string>(""), "10.30.0.2");
}

TEST_F(CreateTest, IsUndoneByUnconfigureToTheLetter) {
  const NodeImage before1 = ImageOf("node1"), before2 = ImageOf("node2");
  MustCreate({"--root", "/etc/haproxy"});
  const Outcome ended = lab().Exec("node1", {"zctl", "cluster", "unconfigure", "--yes"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_EQ(ImageOf("node1"), before1);
  EXPECT_EQ(ImageOf("node2"), before2);
  EXPECT_TRUE(IsBare("node1") && IsBare("node2"));
  MustCreate();  // and the same two may be a pair again
}

TEST_F(CreateTest, IsUndoneFromTheBackupToo) {
  MustCreate();
  const Outcome ended = lab().Exec("node2", {"zctl", "cluster", "unconfigure", "--yes"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_TRUE(IsBare("node1") && IsBare("node2"));
  EXPECT_EQ(lab().Holders(), "");
}

TEST_F(CreateTest, WithThePeerGoneIsUndoneHereAloneAndTheOtherCanBeCleanedLater) {
  MustCreate();
  lab().MustRun({"kill", "node2"});
  ASSERT_TRUE(WaitUntil(kLong, [] { return lab().Node("node1", "remote").status == "GREY"; }));
  const Outcome refused = lab().Exec("node1", {"zctl", "cluster", "unconfigure", "--yes"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("unconfigure --local"));
  EXPECT_TRUE(lab().HoldsAll("node1")) << "a refusal changes nothing";
  lab().MustExec("node1", {"zctl", "cluster", "unconfigure", "--local", "--yes"});
  EXPECT_TRUE(IsBare("node1"));
  lab().MustRun({"revive", "node2"});
  ASSERT_TRUE(WaitUntil(
      kLong,
      [] { return lab().Node("node2", "local").message.find("in no pair") != std::string::npos; }))
      << "the forgotten half does not say what the other is: "
      << lab().Node("node2", "local").message;
  lab().MustExec("node2", {"zctl", "cluster", "unconfigure", "--local", "--yes"});
  EXPECT_TRUE(IsBare("node2"));
}

TEST_F(CreateTest, IsNotEndedByALostAgentFile) {
  MustCreate();
  lab().MustRun({"agent", "node2", "stop"});
  const Outcome lost = lab().Exec("node2", {"zagent", "--config", "/tmp/nosuch.yaml"});
  EXPECT_EQ(lost.code, 1);
  EXPECT_THAT(lost.err, HasSubstr("/tmp/nosuch.yaml: lacks the sections node and peer"));
  lab().MustRun({"agent", "node2", "start"});
  AwaitReady();
}

}  // namespace
}  // namespace zcluster::lab
