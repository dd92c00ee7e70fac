// SPDX-License-Identifier: Apache-2.0
// Each precondition of a failover is broken, and `zctl readiness` names it on both nodes and ends
// with 1; mended, it ends with 0. What mends itself at once (another generation of the
// configuration is fetched from the peer) is in tests/agent/core/facts_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_replace.h"
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

// Something that is broken on one machine by a shell command.
struct Breakage {
  const char* precondition;  // its name
  bool warns;                // else it is not met
  const char* machine;       // MASTER or BACKUP, as in `evidence`
  const char* breaks;
  const char* mends;
  const char* evidence;  // a part of it
};

// They do not touch each other, and so are broken together: a node looks each 5 s.
const Breakage kOfMachines[] = {
    {"sysctl net.netfilter.nf_conntrack_tcp_loose", false, "BACKUP",
     "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1",
     "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0", "1 on BACKUP"},
    {"module nf_conntrack", true, "BACKUP", "mount -t tmpfs tmpfs /sys/module",
     "umount /sys/module", "absent on BACKUP"},
    {"network fd20::/64", false, "BACKUP", "ip addr del fd20::${HOSTNAME#node}/64 dev back",
     "ip addr add fd20::${HOSTNAME#node}/64 dev back nodad",
     "on no interface of BACKUP that is up"},
    {"backend 10.20.0.11:8080", false, "BACKUP",
     "nft 'add table inet zlab_dark; add chain inet zlab_dark out { type filter hook output "
     "priority 0; }; add rule inet zlab_dark out ip daddr 10.20.0.11 tcp dport 8080 reject with "
     "tcp reset'",
     "nft delete table inet zlab_dark", "not reachable from BACKUP: Connection refused"},
    {"disk", false, "BACKUP", "mount -t tmpfs -o size=4m tmpfs /var/lib/zcluster",
     "umount /var/lib/zcluster", "4 MiB are free for the agent's state on BACKUP"},
    // The kernel has one maximum for all machines of a lab; what this one is told is another.
    {"conntrack fill", false, "BACKUP",
     "cd /proc/sys/net/netfilter; echo 1000 >/tmp/max; echo 960 >/tmp/count; "
     "mount --bind /tmp/max nf_conntrack_max; mount --bind /tmp/count nf_conntrack_count",
     "cd /proc/sys/net/netfilter; umount nf_conntrack_max nf_conntrack_count",
     "the table of connections of BACKUP is 96 % full"},
    {"conntrack table", false, "MASTER",
     "cd /proc/sys/net/netfilter; echo $(($(cat nf_conntrack_max) / 2)) >/tmp/count; "
     "mount --bind /tmp/count nf_conntrack_count",
     "umount /proc/sys/net/netfilter/nf_conntrack_count",
     "the connections of MASTER do not fit into the table of BACKUP"},
    {"files /etc/haproxy", false, "MASTER", "mkfifo /etc/haproxy/pipe", "rm /etc/haproxy/pipe",
     "pipe"},
};

TEST_F(ReadinessLab, NamesWhatTheMachinesLack) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const auto named = [&](const char* text) {
    return absl::StrReplaceAll(text, {{"MASTER", master}, {"BACKUP", backup}});
  };
  const auto each_does = [&](const char* Breakage::*command) {
    for (const Breakage& each : kOfMachines) {
      lab().MustExec(named(each.machine), {"bash", "-c", each.*command});
    }
  };
  ExpectReadyAgain();
  ASSERT_TRUE(WaitUntil(kLong, [&] {
    const Seen seen = Look(master);
    return seen.named.count(std::string("backend ") + kBackend) > 0 &&
           seen.named.count("heartbeat") > 0;
  })) << lab().Exec(master, {"zctl", "readiness"}).out;

  each_does(&Breakage::breaks);
  // One way only, and not the one that the adverts go: nothing else would show it.
  lab().MustRun({"cut", backup, master, "--one-way", "--only", "vrrp"});
  std::vector<std::string> names = {"heartbeat"};
  for (const Breakage& each : kOfMachines) {
    if (!each.warns) names.emplace_back(each.precondition);
  }
  ExpectNamed(names);
  for (const std::string& node : {master, backup}) {
    const Seen seen = Look(node);
    for (const Breakage& each : kOfMachines) {
      EXPECT_EQ(seen.Unmet(each.precondition), !each.warns) << each.precondition;
      EXPECT_EQ(seen.Warns(each.precondition), each.warns) << each.precondition;
      EXPECT_THAT(seen.Evidence(each.precondition), HasSubstr(named(each.evidence))) << node;
    }
    EXPECT_THAT(seen.Evidence("heartbeat"),
                HasSubstr(master + " hears no heartbeat (IP protocol 112) of " + backup));
    // Nothing that is well is accused.
    for (const auto& [name, unused] : seen.named) {
      EXPECT_TRUE(!seen.Unmet(name) || std::count(names.begin(), names.end(), name) > 0)
          << node << ": " << seen.Evidence(name);
    }
  }
  // A switchover is refused with the very reasons, and the status has them too.
  const Outcome refused = lab().Exec(master, {"zctl", "switchover"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("nf_conntrack_tcp_loose"), HasSubstr("--force")));
  EXPECT_THAT(lab().Exec(backup, {"zctl", "status"}).out, HasSubstr("nf_conntrack_tcp_loose"));
  EXPECT_TRUE(lab().HoldsAll(master));

  each_does(&Breakage::mends);
  lab().MustRun({"heal"});
  ExpectReadyAgain();
  for (const Breakage& each : kOfMachines) EXPECT_FALSE(Look(master).Warns(each.precondition));
}

// An agent of another version, on a machine whose clock is ahead: worth a look, but no failover is
// the worse for it.
TEST_F(ReadinessLab, WarnsOfAnotherVersionAndAnotherTime) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustRun({"agent", backup, "stop"});
  lab().MustExec(backup, {"bash", "-c",
                          "LC_ALL=C sed 's/0\\.1\\.0\\x00/0.1.9\\x00/g' /run/zlab/bin/zagent "
                          ">/tmp/zagent; chmod +x /tmp/zagent; "
                          "LD_PRELOAD=/run/zlab/bin/libzlab_clock.so ZLAB_AHEAD=90 setsid "
                          "/tmp/zagent </dev/null >>/var/log/zcluster/agent.log 2>&1 &"});
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    const Seen seen = Look(master);
    return seen.Warns("version") && seen.Warns("clock");
  })) << lab().Exec(master, {"zctl", "readiness"}).out;
  const Seen seen = Look(master);
  EXPECT_THAT(seen.Evidence("version"),
              AllOf(HasSubstr("0.1.0, protocol 1 on " + master), HasSubstr("0.1.9")));
  EXPECT_THAT(seen.Evidence("clock"), HasSubstr("the clock of " + backup + " is 1m"));
  ExpectReadyAgain();
  lab().MustRun({"agent", backup, "restart"});
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    const Seen now = Look(master);
    return now.code == 0 && !now.Warns("version") && !now.Warns("clock");
  })) << lab().Exec(master, {"zctl", "readiness"}).out;
}

// Its own node says that it is over; the link, that nobody takes it any more.
TEST_F(ReadinessLab, NamesTheCertificateThatIsOver) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustRun({"certificate", backup, "--expired"});
  lab().MustRun({"agent", backup, "restart"});
  ExpectNamed({"link"});
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return Look(master).Evidence("link").find("expired") != std::string::npos;
  })) << Look(master).Evidence("link");
  EXPECT_TRUE(WaitUntil(kLong, [&] { return Look(backup).Warns("certificate"); }))
      << lab().Exec(backup, {"zctl", "readiness"}).out;
  EXPECT_THAT(Look(backup).Evidence("certificate"),
              HasSubstr("the certificate of " + backup + " ended 2020-01-02"));
  lab().MustRun({"certificate", backup});
  lab().MustRun({"agent", backup, "restart"});
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
