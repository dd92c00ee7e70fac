// SPDX-License-Identifier: Apache-2.0
// Each precondition of a failover is broken, and `zctl readiness` names it on both nodes and ends
// with 1; mended, it ends with 0. What no lab can break (clocks, versions, generations, disks) is
// in tests/agent/core/facts_test.cc and tests/agent/facts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kBackend[] = "10.20.0.11:8080";

class ReadinessLab : public Scenario {
 protected:
  static void SetUpTestSuite() {
    Raise("ready");
    if (!raised()) return;
    // From now on the pair says what it serves.
    const std::string document = lab().Read("node1", {"zctl", "cluster", "describe", "-o", "yaml"});
    const Outcome applied = lab().Exec("node1", {"zctl", "cluster", "apply", "-f", "-", "--yes"},
                                       document + "backends: [\"" + kBackend + "\"]\n");
    EXPECT_EQ(applied.code, 0) << applied.out << applied.err;
  }

  struct Seen {
    int code = -1;
    std::map<std::string, YAML::Node> named;  // the last of each name, what is not met before all
    bool Unmet(const std::string& name) const {
      const auto found = named.find(name);
      return found != named.end() && !found->second["met"].as<bool>(true);
    }
    bool Warns(const std::string& name) const {
      const auto found = named.find(name);
      return found != named.end() && found->second["warning"].as<bool>(false);
    }
    std::string Evidence(const std::string& name) const {
      const auto found = named.find(name);
      return found == named.end() ? "" : found->second["evidence"].as<std::string>("");
    }
  };
  static Seen Look(const std::string& node) {
    const Outcome outcome = lab().Exec(node, {"zctl", "readiness", "-o", "json"});
    Seen seen{outcome.code, {}};
    const YAML::Node list = ParseJson(outcome.out)["readiness"];
    for (const YAML::Node& each : list) {
      const std::string name = each["name"].as<std::string>("");
      if (!seen.Unmet(name)) seen.named[name] = each;
    }
    return seen;
  }
  // Both nodes name all of these, and end with 1.
  static void ExpectNamed(const std::vector<std::string>& names) {
    for (const char* node : {"node1", "node2"}) {
      std::string missing;
      EXPECT_TRUE(WaitUntil(kLong,
                            [&] {
                              const Seen seen = Look(node);
                              missing.clear();
                              for (const std::string& name : names) {
                                if (!seen.Unmet(name)) missing += name + "; ";
                              }
                              return missing.empty() && seen.code == 1;
                            }))
          << node << " does not name " << missing << "\n"
          << lab().Exec(node, {"zctl", "readiness"}).out;
    }
  }
  static void ExpectReadyAgain() {
    for (const char* node : {"node1", "node2"}) {
      EXPECT_TRUE(WaitUntil(kLong, [&] { return Look(node).code == 0; }))
          << node << "\n"
          << lab().Exec(node, {"zctl", "readiness"}).out;
    }
  }
};

TEST_F(ReadinessLab, NamesWhatTheBackupsMachineLacks) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  ExpectReadyAgain();
  ASSERT_TRUE(WaitUntil(kLong, [&] {
    return Look(master).named.count(std::string("backend ") + kBackend) > 0;
  })) << lab().Exec(master, {"zctl", "readiness"}).out;

  lab().MustExec(backup, {"sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=1"});
  lab().MustExec(backup, {"nft",
                          "add table inet zlab_dark; "
                          "add chain inet zlab_dark out { type filter hook output priority 0; }; "
                          "add rule inet zlab_dark out ip daddr 10.20.0.11 tcp dport 8080 reject "
                          "with tcp reset"});
  ExpectNamed({"sysctl net.netfilter.nf_conntrack_tcp_loose", std::string("backend ") + kBackend});
  const Seen seen = Look(master);
  EXPECT_THAT(seen.Evidence("sysctl net.netfilter.nf_conntrack_tcp_loose"),
              AllOf(HasSubstr("1 on " + backup), HasSubstr("0 on " + master)));
  EXPECT_THAT(seen.Evidence(std::string("backend ") + kBackend),
              HasSubstr("not reachable from " + backup));
  // It is refused with the very reason, and seen in the status too.
  const Outcome refused = lab().Exec(master, {"zctl", "switchover"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("nf_conntrack_tcp_loose"));
  EXPECT_THAT(lab().Exec(backup, {"zctl", "status"}).out, HasSubstr("nf_conntrack_tcp_loose"));

  lab().MustExec(backup, {"sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0"});
  lab().MustExec(backup, {"nft", "delete table inet zlab_dark"});
  ExpectReadyAgain();
}

TEST_F(ReadinessLab, NamesTheNetworkThatTheBackupHasNot) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const std::string own = backup == "node1" ? "10.20.0.1/24" : "10.20.0.2/24";
  lab().MustExec(backup, {"ip", "addr", "del", own, "dev", "back"});
  ExpectNamed({"network 10.20.0.0/24"});
  EXPECT_THAT(Look(master).Evidence("network 10.20.0.0/24"), HasSubstr(backup));
  lab().MustExec(backup, {"ip", "addr", "add", own, "dev", "back"});
  ExpectReadyAgain();
}

TEST_F(ReadinessLab, NamesTheLinkAndTheFlowsThatDoNotCross) {
  lab().MustRun({"cut", "node1", "node2", "--only", "link"});
  ExpectNamed({"link", "connections"});
  lab().MustRun({"heal"});
  ExpectReadyAgain();
}

TEST_F(ReadinessLab, NamesTheStandbyThatDoesNotTakePart) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustExec(backup, {"zctl", "maintenance", "enter"});
  ExpectNamed({"roles", "standby"});
  EXPECT_THAT(Look(master).Evidence("standby"), HasSubstr(backup + " is in maintenance"));
  lab().MustExec(backup, {"zctl", "maintenance", "start"});
  ExpectReadyAgain();
}

// Worth a look, but no failover is the worse for it: whoever ends on the node knows.
TEST_F(ReadinessLab, WarnsOfConnectionsThatEndOnTheNode) {
  const std::string master = lab().Master();
  const Background held(lab().ExecArgv(
      "client",
      {"bash", "-c", "echo $$ >/tmp/held; exec 3<>/dev/tcp/10.10.0.100/7702; exec sleep 60"}));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return Look(master).Warns("local connections"); }))
      << lab().Exec(master, {"zctl", "readiness"}).out;
  const Seen seen = Look(master);
  EXPECT_EQ(seen.code, 0);
  EXPECT_THAT(seen.Evidence("local connections"),
              HasSubstr("1 connection ends on " + master + " itself and will break"));
  lab().MustExec("client", {"sh", "-c", "kill $(cat /tmp/held)"});
}

}  // namespace
}  // namespace zcluster::lab
