// SPDX-License-Identifier: Apache-2.0
// A controller sees two pairs and steers them, from elsewhere and under its own name; and what
// happened on the nodes is told once and wholly, whoever was killed meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;

class Fleet : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("fleet", {"--pairs", "2", "--controller"}); }

  static Outcome Zctl(const std::vector<std::string>& words) {
    std::vector<std::string> argv = {"zctl"};
    argv.insert(argv.end(), words.begin(), words.end());
    return lab().Exec("controller", argv);
  }
  static YAML::Node Json(std::vector<std::string> words) {
    words.insert(words.end(), {"-o", "json"});
    return ParseJson(Zctl(words).out);
  }

  // One pair's line of `zctl fleet list`.
  static YAML::Node Pair(const std::string& name) {
    const YAML::Node answer = Json({"fleet", "list"});
    if (!answer.IsMap()) return {};
    for (const YAML::Node& pair : answer["pairs"]) {
      if (pair["name"].as<std::string>("") == name) return pair;
    }
    return {};
  }
  static bool Ready(const std::string& name) {
    const YAML::Node pair = Pair(name);
    if (!pair.IsMap() || !pair["ready"].as<bool>(false)) return false;
    for (const YAML::Node& node : pair["nodes"]) {
      if (!node["connected"].as<bool>(false) || node["status"].as<std::string>("") != "GREEN")
        return false;
    }
    return true;
  }
  static std::string MasterOf(const std::string& name) {
    const YAML::Node pair = Pair(name);
    return pair.IsMap() ? pair["master"].as<std::string>("") : "";
  }
  static void AwaitFleet() {
    for (const char* name : {"lab", "lab2"}) {
      EXPECT_TRUE(WaitUntil(kLong, [&] { return Ready(name); }))
          << "the controller does not see " << name << " ready\n"
          << Zctl({"fleet", "list"}).out;
    }
  }
  // Every event of the nodes: the numbers of each node's journal must go up one by one.
  static std::map<std::string, std::vector<YAML::Node>> EventsByNode() {
    std::map<std::string, std::vector<YAML::Node>> events;
    const YAML::Node answer = Json({"fleet", "events", "--limit", "10000"});
    if (!answer.IsMap()) return events;
    for (const YAML::Node& event : answer["events"]) {
      const auto node = event["node"].as<std::string>("");
      if (!node.empty()) events[node].push_back(event);
    }
    return events;
  }
  static void ExpectWhole(const std::map<std::string, std::vector<YAML::Node>>& events) {
    for (const auto& [node, list] : events) {
      uint64_t expected = list.front()["journal_number"].as<uint64_t>();
      for (const YAML::Node& event : list) {
        EXPECT_EQ(event["journal_number"].as<uint64_t>(), expected)
            << node << " lost an event, or shows one twice: " << event;
        ++expected;
      }
    }
  }
  static int Count(const std::map<std::string, std::vector<YAML::Node>>& events,
                   const std::string& name) {
    int count = 0;
    for (const auto& [node, list] : events) {
      for (const YAML::Node& event : list) count += event["name"].as<std::string>("") == name;
    }
    return count;
  }
  static void Controller(const std::string& verb) { lab().MustRun({"agent", "controller", verb}); }

  void SetUp() override {
    Scenario::SetUp();
    AwaitFleet();
  }
  void TearDown() override {
    if (HasFailure()) {
      std::cerr << Zctl({"fleet", "list"}).out << Zctl({"fleet", "events"}).out
                << lab().Read("controller",
                              {"tail", "-n", "40", "/var/log/zcluster/controller.log"});
    }
    Scenario::TearDown();
  }
};

TEST_F(Fleet, IsSeenAsTheNodesSeeThemselves) {
  for (const auto& [pair, first, second] :
       {std::tuple("lab", "node1", "node2"), std::tuple("lab2", "node3", "node4")}) {
    const YAML::Node line = Pair(pair);
    const std::string master = lab().HoldsAll(first) ? first : second;
    EXPECT_EQ(line["master"].as<std::string>(), master);
    EXPECT_EQ(line["status"].as<std::string>(), "GREEN");
    ASSERT_EQ(line["nodes"].size(), 2U);
    EXPECT_EQ(line["nodes"][0]["name"].as<std::string>(), first);
    EXPECT_EQ(line["nodes"][1]["name"].as<std::string>(), second);
  }
  const Outcome shown = Zctl({"fleet", "show", "lab2"});
  EXPECT_EQ(shown.code, 0);
  EXPECT_THAT(shown.out, HasSubstr("10.10.0.101"));
  EXPECT_NE(Zctl({"fleet", "show", "nobody"}).code, 0);
}

TEST_F(Fleet, IsSwitchedOverByTheSameStepsAsOnTheNode) {
  const std::string master = MasterOf("lab2"), backup = master == "node3" ? "node4" : "node3";
  const std::string untouched = MasterOf("lab");
  const Outcome done = Zctl({"fleet", "switchover", "lab2"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("acknowledged"));
  EXPECT_TRUE(lab().HoldsAll(backup));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return MasterOf("lab2") == backup; }));
  EXPECT_EQ(MasterOf("lab"), untouched);
  // Who it was stands on both sides.
  EXPECT_THAT(Zctl({"--context", "controller", "audit"}).out, HasSubstr("FleetService/Switchover"));
  const std::string audit =
      absl::StrCat(lab().Read("node3", {"zctl", "audit"}), lab().Read("node4", {"zctl", "audit"}));
  EXPECT_THAT(audit, HasSubstr("MaintenanceService/Switchover"));
  EXPECT_THAT(audit, HasSubstr("by controller"));
}

TEST_F(Fleet, IsMaintainedAndRunsCommands) {
  const std::string backup = MasterOf("lab2") == "node3" ? "node4" : "node3";
  EXPECT_EQ(Zctl({"fleet", "maintenance", "enter", "lab2/" + backup, "--for", "2h", "--reason",
                  "a new disk"})
                .code,
            0);
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    const YAML::Node pair = Pair("lab2");
    return pair["status"].as<std::string>("") == "ORANGE" &&
           pair["message"].as<std::string>("").find("UTC: a new disk") != std::string::npos;
  })) << "maintenance does not show";
  EXPECT_THAT(Zctl({"fleet", "show", "lab2"}).out, HasSubstr("UTC: a new disk"));
  EXPECT_EQ(lab().Node(backup, "local").role, "MAINTENANCE");
  EXPECT_EQ(Zctl({"fleet", "maintenance", "start", "lab2/" + backup}).code, 0);
  const Outcome ran = Zctl({"fleet", "run", "lab2", "say", "word=hello"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("hello"));
  EXPECT_THAT(ran.out, HasSubstr("node3"));
  EXPECT_THAT(ran.out, HasSubstr("node4"));
  EXPECT_NE(Zctl({"fleet", "run", "lab2", "fail"}).code, 0);
  EXPECT_NE(Zctl({"fleet", "run", "lab2", "nothing-like-it"}).code, 0);
}

TEST_F(Fleet, MayDoNoMoreThanTheNodeAllows) {
  const std::string master = MasterOf("lab");
  for (const char* node : {"node1", "node2"}) {
    lab().MustExec(node,
                   {"sed", "-i", "s/allow: ADMIN/allow: VIEWER/", "/etc/zcluster/agent.yaml"});
    lab().MustRun({"agent", node, "restart"});
  }
  AwaitReady();
  AwaitFleet();
  const Outcome refused = Zctl({"fleet", "switchover", "lab"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("viewer"));
  EXPECT_TRUE(lab().HoldsAll(master));
  for (const char* node : {"node1", "node2"}) {
    lab().MustExec(node,
                   {"sed", "-i", "s/allow: VIEWER/allow: ADMIN/", "/etc/zcluster/agent.yaml"});
    lab().MustRun({"agent", node, "restart"});
  }
  AwaitReady();
  AwaitFleet();
}

TEST_F(Fleet, TellsEachEventOnceOverKillsOfTheController) {
  const auto before = EventsByNode();
  ExpectWhole(before);
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Controller("kill");
  lab().MustRun({"kill", master});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().Node(backup, "local").role == "MASTER"; }));
  Controller("start");
  EXPECT_TRUE(WaitUntil(kLong, [&] { return MasterOf("lab") == backup; }))
      << "the agents do not come back to the controller";
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return Count(EventsByNode(), "promoted") == Count(before, "promoted") + 1;
  })) << "the promotion while the controller was away is not told, or is told twice";
  // Killed again and again while they come.
  for (int i = 0; i < 3; ++i) {
    Controller("kill");
    Controller("start");
    EXPECT_TRUE(WaitUntil(kLong, [&] { return MasterOf("lab") == backup; }));
  }
  lab().MustRun({"revive", master});
  AwaitReady();
  AwaitFleet();
  const auto after = EventsByNode();
  ExpectWhole(after);
  EXPECT_EQ(Count(after, "promoted"), Count(before, "promoted") + 1);
}

TEST_F(Fleet, ShowsConnectionsWhileSomebodyLooks) {
  Traffic requests = Requests(20);
  const Outcome flows = lab().Exec(
      "controller", {"sh", "-c", "timeout 30 zctl fleet flows lab --rate 50 | head -n 5"});
  EXPECT_THAT(flows.out, HasSubstr("10.10.0.100"));
  EXPECT_EQ(requests.Stop()["failed"].as<int>(), 0);
}

TEST_F(Fleet, LetsOperatorsInFromElsewhereByTheirRights) {
  lab().MustExec("controller", {"sh", "-c",
                                "umask 077; zctl --context controller operator add anna --role "
                                "viewer --out /var/log/anna.zctl"});
  const std::string credential = lab().Read("controller", {"cat", "/var/log/anna.zctl"});
  ASSERT_FALSE(credential.empty());
  EXPECT_EQ(lab().Exec("node1", {"sh", "-c", "umask 077; cat > /tmp/anna.zctl"}, credential).code,
            0);
  lab().MustExec("node1", {"zctl", "context", "add", "ctl", "--credential", "/tmp/anna.zctl"});
  const Outcome list = lab().Exec("node1", {"zctl", "--context", "ctl", "fleet", "list"});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("lab2"));
  const Outcome refused =
      lab().Exec("node1", {"zctl", "--context", "ctl", "fleet", "switchover", "lab2"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  lab().MustExec("controller", {"zctl", "--context", "controller", "operator", "revoke", "anna"});
  EXPECT_NE(lab().Exec("node1", {"zctl", "--context", "ctl", "fleet", "list"}).code, 0);
}

TEST_F(Fleet, IsScrapedByPrometheus) {
  const std::string config =
      "global: {scrape_interval: 1s}\n"
      "scrape_configs:\n"
      "  - job_name: zcluster\n"
      "    static_configs:\n"
      "      - targets: ['10.40.0.1:7703', '10.40.0.2:7703', '10.40.0.3:7703', "
      "'10.40.0.4:7703', '10.40.0.40:7803']\n";
  ASSERT_EQ(lab().Exec("controller", {"sh", "-c", "cat > /tmp/prometheus.yml"}, config).code, 0);
  ASSERT_EQ(lab().Exec("controller", {"promtool", "check", "config", "/tmp/prometheus.yml"}).code,
            0);
  lab().MustExec("controller",
                 {"sh", "-c",
                  "setsid prometheus --config.file=/tmp/prometheus.yml "
                  "--storage.tsdb.path=/tmp/prometheus --web.listen-address=127.0.0.1:9090 "
                  "</dev/null >/tmp/prometheus.log 2>&1 & echo $! > /tmp/prometheus.pid"});
  const auto query = [](const std::string& what) {
    return lab().Read("controller",
                      {"promtool", "query", "instant", "http://127.0.0.1:9090", what});
  };
  EXPECT_TRUE(
      WaitUntil(kLong, [&] { return query("sum(up)").find("=> 5 @") != std::string::npos; }))
      << query("up") << lab().Read("controller", {"tail", "/tmp/prometheus.log"});
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return query("sum(zcluster_role{role=\"MASTER\"})").find("=> 2 @") != std::string::npos;
  })) << query("zcluster_role");
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return query("zcluster_controller_agents_connected").find("=> 4 @") != std::string::npos;
  })) << query("zcluster_controller_agents_connected");
  lab().MustExec("controller", {"sh", "-c", "kill $(cat /tmp/prometheus.pid)"});
}

}  // namespace
}  // namespace zcluster::lab
