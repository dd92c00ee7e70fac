// SPDX-License-Identifier: Apache-2.0
// Files: what is changed on the master arrives whole on the backup, with its mode, and goes when it
// goes.
#include <gtest/gtest.h>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

class ConfigSync : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("config"); }

  static void Shell(const std::string& node, const std::string& script) {
    lab().MustExec(node, {"sh", "-c", script});
  }

  // Every name, mode, owner, size and content under the root, as text.
  static std::string Tree(const std::string& node) {
    return lab().Read(
        node, {"sh", "-c",
               "cd /etc/haproxy && find . -path ./.zcluster-stage -prune -o -mindepth 1 "
               "-printf '%P %y %m %U:%G %l\\n' | sort; "
               "find . -path ./.zcluster-stage -prune -o -type f -exec sha256sum {} + | sort"});
  }

  static void AwaitSame(const std::string& master, const std::string& why) {
    EXPECT_TRUE(WaitUntil(kLong, [&] { return Tree(master) == Tree(Lab::Peer(master)); }))
        << why << "\nmaster:\n"
        << Tree(master) << "backup:\n"
        << Tree(Lab::Peer(master));
    EXPECT_TRUE(WaitUntil(kLong,
                          [&] {
                            YAML::Node root = lab().Status(master)["roots"][0];
                            return root.IsMap() && root["equal"].as<bool>() &&
                                   root["local_digest"].as<std::string>() ==
                                       root["remote_digest"].as<std::string>();
                          }))
        << why << ": the digests differ";
  }
};

TEST_F(ConfigSync, AChangedFileArrivesWhole) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Shell(master,
        "mkdir -p /etc/haproxy/errors; echo 'global' > /etc/haproxy/haproxy.cfg; "
        "head -c 3000000 /dev/urandom > /etc/haproxy/errors/big; "
        "chmod 0640 /etc/haproxy/haproxy.cfg; ln -s haproxy.cfg /etc/haproxy/current");
  AwaitSame(master, "new files");
  EXPECT_EQ(lab().Read(backup, {"cat", "/etc/haproxy/haproxy.cfg"}), "global\n");

  Shell(master,
        "echo 'frontend x' >> /etc/haproxy/haproxy.cfg; chmod 0755 /etc/haproxy/errors/big");
  AwaitSame(master, "a changed file and a changed mode");
  Shell(master,
        "rm -r /etc/haproxy/errors; mv /etc/haproxy/haproxy.cfg /etc/haproxy/other.cfg; "
        "rm /etc/haproxy/current");
  AwaitSame(master, "deleted and renamed files");
  EXPECT_EQ(lab().Read(backup, {"ls", "/etc/haproxy"}), "other.cfg\n");
}

TEST_F(ConfigSync, WhatChangedWhileTheBackupWasAwayArrives) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Shell(master, "echo before > /etc/haproxy/file; echo gone > /etc/haproxy/goes");
  AwaitSame(master, "before");
  lab().MustRun({"kill", backup});
  Shell(master, "echo after > /etc/haproxy/file; rm /etc/haproxy/goes");
  lab().MustRun({"revive", backup});
  AwaitSame(master, "after its return");
  EXPECT_EQ(lab().Read(backup, {"cat", "/etc/haproxy/file"}), "after\n");
}

TEST_F(ConfigSync, FollowsTheRoleAfterASwitchover) {
  const std::string old_master = lab().Master(), master = Lab::Peer(old_master);
  lab().MustExec(old_master, {"zctl", "switchover"});
  AwaitReady();
  Shell(master, "echo turned > /etc/haproxy/file");
  AwaitSame(master, "the other direction");
  EXPECT_EQ(lab().Read(old_master, {"cat", "/etc/haproxy/file"}), "turned\n");
}

}  // namespace
}  // namespace zcluster::lab
