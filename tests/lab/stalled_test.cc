// SPDX-License-Identifier: Apache-2.0
// A keepalived or an agent that is stopped (SIGSTOP), or a keepalived that hangs without having
// been stopped: the other side's log has an event of it, its own agent says so and lets go of the
// addresses, and in the end one node serves.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

// Processes of one node that look as if they slept, and never go on; but they can be killed.
class Frozen {
 public:
  Frozen(const std::string& node_group, const std::vector<pid_t>& pids)
      : node_(node_group), group_(node_group + "/frozen") {
    EXPECT_TRUE(std::filesystem::create_directory(group_));
    for (const pid_t pid : pids) Write(group_ + "/cgroup.procs", absl::StrCat(pid));
    Write(group_ + "/cgroup.freeze", "1");
  }
  // Whoever still lives goes on.
  ~Frozen() {
    Write(group_ + "/cgroup.freeze", "0");
    std::vector<std::string> left;
    std::ifstream processes(group_ + "/cgroup.procs");
    for (std::string pid; processes >> pid;) left.push_back(pid);
    for (const std::string& pid : left) Write(node_ + "/cgroup.procs", pid);
    EXPECT_TRUE(WaitUntil(kLong, [&] { return ::rmdir(group_.c_str()) == 0; }));
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text << std::flush;
  }
  const std::string node_, group_;
};

class Stalled : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("stalled"); }

  // Lines of the agent's log on that node that match.
  static int Told(const std::string& node, const std::string& pattern) {
    int number = -1;
    const std::string text = lab().Read(
        node, {"sh", "-c",
               absl::StrCat("cat /var/log/zcluster/*.log | grep -cE '", pattern, "' || true")});
    return absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &number) ? number : -1;
  }
  static void Signal(const std::string& node, const std::string& signal,
                     const std::string& processes) {
    lab().MustExec(node, {"sh", "-c", absl::StrCat("kill -", signal, " ", processes)});
  }
  // How often `node` has said that its keepalived hangs, as an operator asks for it on `on`.
  static int HangsTold(const std::string& on, const std::string& node) {
    int number = 0;
    const std::string events = lab().Read(on, {"zctl", "events", "--since", "1h"});
    for (const absl::string_view line : absl::StrSplit(events, '\n')) {
      if (absl::StrContains(line, node) && absl::StrContains(line, "hangs (state")) ++number;
    }
    return number;
  }
  // The master's keepalived hangs, its parent with it if `both`, while a client asks.
  static void HangMaster(bool both) {
    const std::string master = lab().Master(), backup = Lab::Peer(master);
    const std::vector<pid_t> before = Pids(master, "keepalived");
    ASSERT_EQ(before.size(), 2u);
    const int64_t term = Term(backup);
    const int told = HangsTold(master, master);
    Traffic probe = Probe();
    {
      const Frozen frozen(Cgroup(master), both ? before : std::vector<pid_t>{before.back()});
      ASSERT_TRUE(WaitUntil(kLong, [&] { return Term(backup) > term && lab().HoldsAll(backup); }))
          << "holders: " << lab().Holders();
      EXPECT_TRUE(WaitUntil(kLong, [&] {
        const std::vector<pid_t> now = Pids(master, "keepalived");
        return now.size() == 2 && std::find(now.begin(), now.end(), before.back()) == now.end();
      })) << "keepalived was not started anew";
    }
    AwaitAnswers(probe);
    AwaitReady();
    EXPECT_TRUE(lab().HoldsAll(backup));
    EXPECT_EQ(lab().Node(master, "local").role, "BACKUP");
    for (const std::string& on : {master, backup}) EXPECT_GT(HangsTold(on, master), told);
    const YAML::Node report = probe.Stop();
    EXPECT_EQ(report["wrong"].as<int>(-1), 0);
    RecordProperty("outage_ms", report["outage_ms"].as<std::string>("?"));
  }
};

TEST_F(Stalled, AnAgentIsToldByItsPeerAndNothingMoves) {
  const std::string master = lab().Master();
  for (const std::string& node : {master, Lab::Peer(master)}) {
    const std::string other = Lab::Peer(node);
    const int before = Told(other, "peer_disconnected");
    Signal(node, "STOP", "$(pgrep -x zagent)");
    EXPECT_TRUE(WaitUntil(kLong, [&] { return Told(other, "peer_disconnected") > before; }));
    EXPECT_EQ(lab().Node(other, "remote").status, "GREY");
    EXPECT_TRUE(lab().HoldsAll(master));
    Signal(node, "CONT", "$(pgrep -x zagent)");
    AwaitReady();
  }
  EXPECT_TRUE(lab().HoldsAll(master));
}

TEST_F(Stalled, AKeepalivedIsToldByThePeerAndGoesOn) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const std::string asked = "takeover_(holds|refuted)|promoted";
  const int before = Told(backup, asked), woken = Told(master, "keepalived_stopped");
  // Until the peer has missed three adverts: the node's own agent may be faster than that.
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    Signal(master, "STOP", "$(cat /run/zcluster/keepalived-vrrp.pid)");
    return Told(backup, asked) > before;
  }));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return Told(master, "keepalived_stopped") > woken; }));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(lab().Holders()); }));
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(lab().Master()));
}

TEST_F(Stalled, AMastersKeepalivedThatHangsLetsGoOfTheAddresses) { HangMaster(false); }
TEST_F(Stalled, SoItDoesWithItsParent) { HangMaster(true); }

TEST_F(Stalled, ABackupsKeepalivedThatHangsIsNamedByReadinessAndStartedAnew) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const std::vector<pid_t> before = Pids(backup, "keepalived");
  ASSERT_EQ(before.size(), 2u);
  const int64_t term = Term(master);
  const int told = HangsTold(backup, backup);
  {
    const Frozen frozen(Cgroup(backup), {before.back()});
    for (const std::string& on : {master, backup}) {
      EXPECT_TRUE(WaitUntil(kLong, [&] {
        const Outcome asked = lab().Exec(on, {"zctl", "readiness"});
        return asked.code != 0 && absl::StrContains(asked.out, "hangs (state");
      })) << lab().Exec(on, {"zctl", "readiness"}).out;
    }
    EXPECT_TRUE(WaitUntil(kLong, [&] {
      const std::vector<pid_t> now = Pids(backup, "keepalived");
      return now.size() == 2 && std::find(now.begin(), now.end(), before.back()) == now.end();
    })) << "keepalived was not started anew";
  }
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(master));
  EXPECT_EQ(Term(master), term);
  for (const std::string& on : {master, backup}) EXPECT_GT(HangsTold(on, backup), told);
}

// A node whose way to the clients lives may say that it serves before it knows that keepalived
// hangs: its peer gives way, and comes again.
TEST_F(Stalled, ItLetsGoThoughItFirstSaidThatItServes) {
  for (const char* node : {"node1", "node2"})
    lab().MustExec(node, {"ip", "route", "add", "default", "via", "10.10.0.10"});
  HangMaster(false);
}

}  // namespace
}  // namespace zcluster::lab
