// SPDX-License-Identifier: Apache-2.0
// What VRRP does not see: a tracked interface, a gateway, the service itself. What fails on the
// master alone moves it, and the connections live on; what fails on both moves nothing; what comes
// and goes is damped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;

// The check fails on the node that has this file.
constexpr char kIll[] = "/run/ill";

class Health : public Scenario {
 protected:
  static void SetUpTestSuite() {
    Raise("health");
    if (!raised()) return;
    // A network that carries no VIP.
    for (const char* node : {"node1", "node2"}) {
      lab().MustExec(node, {"sh", "-c",
                            "ip link add spare type veth peer name far && ip link set far up && "
                            "ip link set spare up"});
    }
    const std::string document = lab().Read("node1", {"zctl", "cluster", "describe", "-o", "yaml"});
    const Outcome applied =
        lab().Exec("node1", {"zctl", "cluster", "apply", "-f", "-", "--yes"},
                   absl::StrCat(document,
                                "health:\n"
                                "  interfaces: [back, spare]\n"
                                "  gateways: [10.10.0.10, \"fd10::10\"]\n"
                                "  check: {command: [/usr/bin/test, \"!\", -e, ",
                                kIll, "], interval: 200ms, timeout: 200ms}\n"));
    EXPECT_EQ(applied.code, 0) << applied.out << applied.err;
  }
  void SetUp() override {
    // How often health has moved the master is in the agents' memory.
    for (const char* node : {"node1", "node2"}) lab().MustRun({"agent", node, "restart"});
    Scenario::SetUp();
    for (const char* node : {"node1", "node2"}) {
      ASSERT_TRUE(WaitUntil(kLong, [&] { return Passing(node) == 5; }))
          << lab().Exec(node, {"zctl", "readiness"}).out;
    }
    master_ = lab().Master();
    backup_ = Lab::Peer(master_);
    term_ = Term(master_);
  }
  void TearDown() override {
    for (const std::string node : {"node1", "node2"}) {
      Cure(node);
      SetSpare(node, "up");
      SetBack(node, "up");
    }
    lab().Exec("client", {"sh", "-c", "nft delete table netdev silent 2>/dev/null || true"});
    Scenario::TearDown();
  }

  // How many checks pass on `node`, as it says itself.
  static int Passing(const std::string& node) {
    int count = 0;
    for (const YAML::Node& each : lab().Status(node)["readiness"]) {
      if (each["name"].as<std::string>("") != "health") continue;
      if (each["node"].as<std::string>("") != node) continue;
      absl::SimpleAtoi(absl::string_view(each["evidence"].as<std::string>("")).substr(0, 1),
                       &count);
    }
    return count;
  }
  // The cable of `node` at the backs, at the switch's end.
  static void SetBack(const std::string& node, const std::string& state) {
    const Outcome outcome = RunCommand({"ip", "-n", absl::StrCat("zlab-", lab().name(), "-switch"),
                                        "link", "set", "back-" + node, state});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  }
  // The same of the spare network.
  static void SetSpare(const std::string& node, const std::string& state) {
    lab().MustExec(node, {"ip", "link", "set", "far", state});
  }
  // The gateway does not hear the ARP requests of `node` any more; all else passes.
  static void Silence(const std::string& node) {
    const std::string mac = std::string(
        absl::StripAsciiWhitespace(lab().Read(node, {"cat", "/sys/class/net/front/address"})));
    lab().MustExec("client", {"nft",
                              "add table netdev silent; add chain netdev silent front { type "
                              "filter hook ingress device front priority -400; }; add rule netdev "
                              "silent front ether saddr " +
                                  mac + " arp operation request drop"});
  }
  static void MakeIll(const std::string& node) { lab().MustExec(node, {"touch", kIll}); }
  static void Cure(const std::string& node) { lab().MustExec(node, {"rm", "-f", kIll}); }

  static std::string Message(const std::string& node) { return lab().Node(node, "local").message; }
  // RED, for the reason that this check fails.
  static bool IsRed(const std::string& node, const std::string& check,
                    const std::string& evidence) {
    const Lab::NodeLine line = lab().Node(node, "local");
    return line.status == "RED" && line.message.find(check) != std::string::npos &&
           line.message.find(evidence) != std::string::npos;
  }
  static std::string LogOf(const std::string& node) {
    return lab().Read(node, {"cat", "/var/log/zcluster/agent.log"});
  }

  // What fails on the master alone moves it, is told on the node that has it, and no connection is
  // lost.
  void ExpectMoves(Traffic& connections, const std::string& check, const std::string& evidence) {
    EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup_); })) << "it did not move";
    EXPECT_THAT(LogOf(master_), HasSubstr("moves_by_health"));
    EXPECT_TRUE(WaitUntil(kLong, [&] { return IsRed(master_, check, evidence); }))
        << Message(master_);
    ExpectAllAlive(connections, 30);
    EXPECT_EQ(Term(backup_), term_ + 1) << "moved more than once";
  }
  // What both have keeps the master where it is, and both say so.
  void ExpectStays(const std::string& check, const std::string& evidence) {
    for (const std::string& node : {master_, backup_}) {
      EXPECT_TRUE(WaitUntil(kLong, [&] { return IsRed(node, check, evidence); })) << Message(node);
    }
    // Longer than any fault takes to settle.
    Traffic probe = Probe();
    EXPECT_TRUE(WaitUntil(kLong, [&] { return probe.Report()["sent"].as<int>(0) > 5'000; }));
    EXPECT_TRUE(lab().HoldsAll(master_));
    EXPECT_EQ(Term(master_), term_) << "it has moved";
  }

  std::string master_, backup_;
  int64_t term_ = 0;
};

TEST_F(Health, AMasterWhoseTrackedInterfaceIsDarkHandsOver) {
  Traffic connections = Hold(30);
  AwaitReplicated(master_, 30);
  SetSpare(master_, "down");
  ExpectMoves(connections, "interface spare", "has no carrier");
  SetSpare(master_, "up");
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(backup_)) << "nothing moves back by itself";
}

// keepalived itself is quicker where the interface carries VIPs; the check says why.
TEST_F(Health, AMasterWithoutItsBackendsIsSucceeded) {
  Traffic connections = Hold(30);
  AwaitReplicated(master_, 30);
  SetBack(master_, "down");
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup_); }));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return IsRed(master_, "interface back", "no carrier"); }))
      << Message(master_);
  ExpectAllAlive(connections, 30);
  SetBack(master_, "up");
  AwaitReady();
}

TEST_F(Health, AMasterWhoseGatewayIsSilentHandsOver) {
  Traffic connections = Hold(30);
  AwaitReplicated(master_, 30);
  Silence(master_);
  ExpectMoves(connections, "gateway 10.10.0.10", "does not answer on front");
  lab().MustExec("client", {"nft", "delete table netdev silent"});
  AwaitReady();
}

TEST_F(Health, AGatewayThatIsSilentForBothMovesNothing) {
  Traffic connections = Hold(30);
  AwaitReplicated(master_, 30);
  Silence(master_);
  Silence(backup_);
  ExpectStays("gateway 10.10.0.10", "does not answer on front");
  lab().MustExec("client", {"nft", "delete table netdev silent"});
  AwaitReady();
  ExpectAllAlive(connections, 30);
}

TEST_F(Health, AMasterWhoseCheckFailsHandsOver) {
  Traffic connections = Hold(30);
  AwaitReplicated(master_, 30);
  MakeIll(master_);
  ExpectMoves(connections, "check", "exit code 1");
  Cure(master_);
  AwaitReady();
}

TEST_F(Health, ACheckThatFailsOnBothMovesNothing) {
  Traffic connections = Hold(30);
  AwaitReplicated(master_, 30);
  MakeIll(backup_);
  EXPECT_TRUE(WaitUntil(kLong, [&] { return IsRed(backup_, "check", "exit code 1"); }))
      << Message(backup_);
  MakeIll(master_);
  ExpectStays("check", "exit code 1");
  // The agent that begins anew has not seen it yet.
  lab().MustRun({"agent", backup_, "restart"});
  ExpectStays("check", "exit code 1");
  Cure(master_);
  Cure(backup_);
  AwaitReady();
  ExpectAllAlive(connections, 30);
}

// Three times it follows; then it stays, and says why.
TEST_F(Health, ACheckThatFlapsIsDamped) {
  Traffic connections = Hold(30);
  AwaitReplicated(master_, 30);
  for (int moves = 0; moves < 3; ++moves) {
    MakeIll(master_);
    EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup_); })) << "move " << moves;
    Cure(master_);
    AwaitReady();
    std::swap(master_, backup_);
  }
  const int64_t term = Term(master_);
  MakeIll(master_);
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return IsRed(master_, "check", "it has moved too often of late");
  })) << Message(master_);
  EXPECT_TRUE(lab().HoldsAll(master_));
  EXPECT_EQ(Term(master_), term);
  Cure(master_);
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(master_));
  ExpectAllAlive(connections, 30);
}

}  // namespace
}  // namespace zcluster::lab
