// SPDX-License-Identifier: Apache-2.0
// A keepalived or an agent that is stopped (SIGSTOP), not dead: the other side's log has an event
// of it, and in the end one node serves.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

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

}  // namespace
}  // namespace zcluster::lab
