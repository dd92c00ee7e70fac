// SPDX-License-Identifier: Apache-2.0
// keepalived is killed: its child, its parent, both at once, on either node. The agent notices and
// mends it; in the end every VIP is on one node, and none lies stale on the other.
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

class KeepalivedDeath : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("keepaliv"); }

  // Process numbers as the node counts them: the parent, then its child.
  static std::vector<std::string> Processes(const std::string& node) {
    return absl::StrSplit(lab().Read(node, {"pgrep", "-x", "keepalived"}), '\n', absl::SkipEmpty());
  }

  static void Kill(const std::string& node, bool parent, bool child) {
    const std::vector<std::string> before = Processes(node);
    ASSERT_EQ(before.size(), 2u);
    std::vector<std::string> argv{"kill", "-KILL"};
    if (parent) argv.push_back(before[0]);
    if (child) argv.push_back(before[1]);
    lab().MustExec(node, argv);
    EXPECT_TRUE(WaitUntil(kLong, [&] {
      const std::vector<std::string> now = Processes(node);
      return now.size() == 2 && now != before;
    })) << "keepalived was not restarted";
    AwaitReady();
    const std::string master = lab().Master();
    EXPECT_TRUE(lab().HoldsAll(master));
    EXPECT_EQ(lab().Node(master, "local").role, "MASTER");
    EXPECT_EQ(lab().Node(Lab::Peer(master), "local").role, "BACKUP");
  }
};

TEST_F(KeepalivedDeath, OfTheMastersChild) { Kill(lab().Master(), false, true); }
TEST_F(KeepalivedDeath, OfTheMastersParent) { Kill(lab().Master(), true, false); }
TEST_F(KeepalivedDeath, OfBothOnTheMasterLeavesNoStaleVip) { Kill(lab().Master(), true, true); }
TEST_F(KeepalivedDeath, OfTheBackupsChild) { Kill(Lab::Peer(lab().Master()), false, true); }
TEST_F(KeepalivedDeath, OfTheBackupsParent) { Kill(Lab::Peer(lab().Master()), true, false); }
TEST_F(KeepalivedDeath, OfBothOnTheBackup) { Kill(Lab::Peer(lab().Master()), true, true); }

TEST_F(KeepalivedDeath, OnTheMasterKeepsTheConnections) {
  const std::string master = lab().Master();
  Traffic connections = Hold(50);
  AwaitReplicated(master, 50);
  Kill(master, true, true);
  ExpectAllAlive(connections, 50);
}

}  // namespace
}  // namespace zcluster::lab
