// SPDX-License-Identifier: Apache-2.0
// A live pair is changed on both nodes or on neither, and no client notices: VIPs come and go, the
// interval is lowered and raised, the failback changes, with no transition of VRRP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/lab/support/bare.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;

class Configure : public BareScenario {
 protected:
  static void SetUpTestSuite() { RaiseBare("config"); }
  void SetUp() override {
    BareScenario::SetUp();
    MustCreate();
    AwaitReady();
  }

  static int Generation(const std::string& node) {
    const std::string json = lab().Read(node, {"zctl", "cluster", "describe", "-o", "json"});
    return ParseJson(json)["generation"].as<int>(0);
  }
  static std::string PairFile(const std::string& node) {
    return lab().Read(node, {"cat", "/etc/zcluster/pair.yaml"});
  }
  static Outcome Zctl(const std::string& node, std::vector<std::string> words,
                      const std::string& input = "") {
    words.insert(words.begin(), "zctl");
    return lab().Exec(node, words, input);
  }
  static bool HasAddress(const std::string& node, const std::string& address) {
    return lab().Read(node, {"ip", "-o", "addr"}).find(address) != std::string::npos;
  }
};

TEST_F(Configure, VipsFailbackAndIntervalWhileConnectionsLive) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(100);
  Traffic probe = Probe();
  const int before1 = Transitions("node1"), before2 = Transitions("node2");

  const Outcome vips = Zctl(backup, {"cluster", "configure", "--vip-add", "10.10.0.101/24",
                                     "--vip-add", "fd10::101/64", "--yes"});
  ASSERT_EQ(vips.code, 0) << vips.out << vips.err;
  EXPECT_THAT(vips.out, HasSubstr("10.10.0.101/24"));
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return HasAddress(master, "10.10.0.101/24") && HasAddress(master, "fd10::101/64");
  }));
  EXPECT_FALSE(HasAddress(backup, "10.10.0.101/24"));
  EXPECT_EQ(lab().Exec("client", {"ping", "-c1", "-W5", "10.10.0.101"}).code, 0);

  for (const char* interval : {"50ms", "200ms", "100ms"}) {
    const Outcome changed =
        Zctl(master, {"cluster", "configure", "--check-interval", interval, "--yes"});
    ASSERT_EQ(changed.code, 0) << changed.out << changed.err;
    AwaitReady();
  }
  ASSERT_EQ(Zctl(master, {"cluster", "configure", "--failback", "PREFERRED", "--yes"}).code, 0);
  ASSERT_EQ(Zctl(master, {"cluster", "configure", "--failback", "KEEP", "--yes"}).code, 0);
  ASSERT_EQ(Zctl(backup, {"cluster", "configure", "--vip-remove", "10.10.0.101", "--vip-remove",
                          "fd10::101", "--yes"})
                .code,
            0);
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return !HasAddress(master, "10.10.0.101/24") && !HasAddress(master, "fd10::101/64");
  }));

  EXPECT_EQ(Generation("node1"), 8);
  EXPECT_EQ(PairFile("node1"), PairFile("node2"));
  EXPECT_EQ(Transitions("node1"), before1) << "VRRP was disturbed";
  EXPECT_EQ(Transitions("node2"), before2) << "VRRP was disturbed";
  EXPECT_TRUE(lab().HoldsAll(master));
  ExpectAllAlive(connections, 100);
  EXPECT_LT(probe.Stop()["outage_ms"].as<double>(), 100);
}

TEST_F(Configure, ADryRunShowsTheDifferenceAndChangesNothing) {
  const Outcome plan =
      Zctl("node1", {"cluster", "configure", "--vip-add", "10.10.0.101/24", "--dry-run"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("+"));
  EXPECT_THAT(plan.out, HasSubstr("10.10.0.101/24"));
  EXPECT_EQ(Generation("node1"), 1);
}

TEST_F(Configure, ADocumentIsAppliedAndAnOlderOneIsAConflict) {
  const std::string document = lab().Read("node1", {"zctl", "cluster", "describe", "-o", "yaml"});
  const std::string changed = document + "roots: [{path: /etc/haproxy}]\n";
  const Outcome applied = Zctl("node1", {"cluster", "apply", "-f", "-", "--yes"}, changed);
  ASSERT_EQ(applied.code, 0) << applied.out << applied.err << "\n" << changed;
  AwaitReady();
  lab().MustExec("node1", {"sh", "-c", "echo x >/etc/haproxy/new.cfg"});
  EXPECT_TRUE(WaitUntil(kLong, [] {
    return lab().Read("node2", {"cat", "/etc/haproxy/new.cfg"}) == "x\n";
  })) << "the new root is not synchronised";
  const Outcome stale = Zctl("node1", {"cluster", "apply", "-f", "-", "--yes"}, document);
  EXPECT_EQ(stale.code, 5) << stale.err;
  EXPECT_THAT(stale.err, HasSubstr("made from generation 1, the present one is 2"));
}

TEST_F(Configure, WhichConnectionsAreReplicatedChangesWhileTheyLive) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(50), probe = Probe();
  AwaitReplicated(master, 51);
  const auto listed = [](const std::string& node, std::vector<std::string> words) {
    std::vector<std::string> argv{"zctl", "conntrack", "list", "--address", "10.10.0.100"};
    argv.insert(argv.end(), words.begin(), words.end());
    return lab().Read(node, argv);
  };
  EXPECT_THAT(listed(backup, {"--protocol", "udp"}), HasSubstr("10.10.0.100:7007"));
  const auto apply = [&](const std::string& from, const std::string& to) {
    std::string text = lab().Read(master, {"zctl", "cluster", "describe", "-o", "yaml"});
    ASSERT_NE(text.find(from), std::string::npos) << text;
    text.replace(text.find(from), from.size(), to);
    const Outcome applied = Zctl(master, {"cluster", "apply", "-f", "-", "--yes"}, text);
    ASSERT_EQ(applied.code, 0) << applied.out << applied.err << text;
    AwaitReady();
  };

  const std::string all = "  replicate: true\n", tcp = all + "  skip: [{protocol: udp}]\n";
  apply(all, tcp);
  EXPECT_TRUE(WaitUntil(kLong, [&] { return listed(backup, {"--protocol", "udp"}).empty(); }));
  EXPECT_THAT(listed(master, {"--class", "filtered"}), HasSubstr("10.10.0.100:7007"));
  const Outcome verified = Zctl(master, {"conntrack", "verify"});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_THAT(Zctl(backup, {"cluster", "describe"}).out, HasSubstr("not protocol udp"));

  apply("  skip:\n    - protocol: udp\n", "");
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return listed(backup, {"--protocol", "udp"}).find("10.10.0.100:7007") != std::string::npos;
  }));
  ASSERT_EQ(Zctl(master, {"switchover"}).code, 0);
  ExpectAllAlive(connections, 50);
}

TEST_F(Configure, BadInputNamesItsPlaceAndChangesNothing) {
  const std::string before = PairFile("node1");
  const Outcome unknown = Zctl("node1", {"cluster", "apply", "-f", "-", "--yes"},
                               "name: main\nvrrp: {router_id: 51}\nvipps: []\n");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr(":3: vipps: unknown key"));
  const Outcome range = Zctl("node1", {"cluster", "configure", "--check-interval", "1h", "--yes"});
  EXPECT_EQ(range.code, 2);
  EXPECT_THAT(range.err, HasSubstr("10ms to 40.95s"));
  const Outcome brace =
      Zctl("node1", {"cluster", "configure", "--vip-add", "10.10.0.101/24@fr}ont", "--yes"});
  EXPECT_EQ(brace.code, 2);
  const Outcome interface =
      Zctl("node1", {"cluster", "configure", "--vip-add", "10.10.0.101/24@nosuch", "--yes"});
  EXPECT_NE(interface.code, 0);
  EXPECT_THAT(interface.err, HasSubstr("nosuch"));
  EXPECT_EQ(PairFile("node1"), before);
  EXPECT_EQ(PairFile("node2"), before);
}

TEST_F(Configure, IsRefusedWhileTheOtherNodeIsAway) {
  lab().MustRun({"kill", "node2"});
  ASSERT_TRUE(WaitUntil(kLong, [] { return lab().Node("node1", "remote").status == "GREY"; }));
  const Outcome refused =
      Zctl("node1", {"cluster", "configure", "--vip-add", "10.10.0.101/24", "--yes"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("node2 cannot be asked"));
  EXPECT_EQ(Generation("node1"), 1);
  lab().MustRun({"revive", "node2"});
  AwaitReady();
}

TEST_F(Configure, ANewRouterIdIsAskedForFirst) {
  const std::string document = lab().Read("node1", {"zctl", "cluster", "describe", "-o", "yaml"});
  std::string changed = document;
  changed.replace(changed.find("router_id: 51"), 13, "router_id: 52");
  const Outcome asked = Zctl("node1", {"cluster", "apply", "-f", "-"}, changed);
  EXPECT_EQ(asked.code, 6) << asked.err;
  EXPECT_THAT(asked.out + asked.err, HasSubstr("router id changes"));
  EXPECT_EQ(Generation("node1"), 1);
}

TEST_F(Configure, AnAgentKilledInTheMiddleLeavesBothAlike) {
  for (const char* victim : {"node1", "node2"}) {
    for (const char* step : {"node1 would take it", "keeps it on disk", "decided"}) {
      const pid_t agent = AgentPid(victim);
      const std::string vip = "10.10.0.101/24";
      const bool there = PairFile("node1").find(vip) != std::string::npos;
      bool killed = false;
      Follow("node1",
             {"zctl", "cluster", "configure", there ? "--vip-remove" : "--vip-add", vip, "--yes"},
             "", [&](const std::string& line) {
               if (killed || line.find(step) == std::string::npos) return;
               killed = true;
               kill(agent, SIGKILL);
             });
      ASSERT_TRUE(killed) << step;
      AwaitGone(agent);
      lab().MustRun({"agent", victim, "start"});
      AwaitReady();
      EXPECT_TRUE(WaitUntil(kLong, [] { return PairFile("node1") == PairFile("node2"); }))
          << victim << " killed after '" << step << "'\n"
          << PairFile("node1") << PairFile("node2");
    }
  }
  EXPECT_TRUE(lab().HoldsAll("node1"));
}

}  // namespace
}  // namespace zcluster::lab
