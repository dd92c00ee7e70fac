// SPDX-License-Identifier: Apache-2.0
// The lab itself keeps its promises: two at once, exec as if typed there, leftovers cleared,
// nothing left.
#include "tests/lab/support/lab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

// Everything on this machine that bears the lab's name. A process that has ended may be seen until
// the machine's own first process has reaped it.
std::string Traces(const Lab& lab) {
  const std::string name = "zlab-" + lab.name();
  std::string found;
  for (const std::vector<std::string>& argv : std::vector<std::vector<std::string>>{
           {"ip", "netns", "list"},
           {"cat", "/proc/self/mounts"},
           {"sh", "-c", "cat /proc/[0-9]*/cgroup 2>/dev/null"},
           {"sh", "-c", "find /var/tmp -maxdepth 1"},
           {"sh", "-c",
            "find $(awk '$3 == \"cgroup2\" {print $2; exit}' /proc/mounts) -maxdepth 1"}}) {
    const std::string text = RunCommand(argv).out;
    if (text.find(name) != std::string::npos) absl::StrAppend(&found, argv.back(), "\n");
  }
  return found;
}

TEST(TheLab, RunsTwiceAtOnce) {
  Lab one("one"), two("two");
  ASSERT_TRUE(one.Up({"--raw"}));
  ASSERT_TRUE(two.Up({"--raw"}));
  one.MustRun({"kill", one.Master()});
  EXPECT_TRUE(two.HoldsAll(two.Master()));
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return one.Holders() != ""; }));
  one.Down();
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return Traces(one).empty(); })) << Traces(one);
  EXPECT_EQ(two.Exec("client", {"true"}).code, 0);
}

TEST(TheLab, PassesExecThrough) {
  Lab lab("exec");
  ASSERT_TRUE(lab.Up({"--raw"}));
  Outcome outcome =
      lab.Exec("node1", {"sh", "-c", "cat; hostname; echo oops >&2; exit 7"}, "typed\n");
  EXPECT_EQ(outcome.out, "typed\nnode1\n");
  EXPECT_EQ(outcome.err, "oops\n");
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(lab.Exec("node1", {"printf", "%s|", "two words", "", "*"}).out, "two words||*|");
  EXPECT_NE(lab.Exec("node3", {"true"}).code, 0);
  EXPECT_THAT(lab.Exec("node3", {"true"}).err, HasSubstr("node1 node2"));
  lab.MustRun({"kill", "node1"});
  EXPECT_THAT(lab.Exec("node1", {"true"}).err, HasSubstr("revive node1"));
}

TEST(TheLab, KeepsANodesDisksAndNothingElseOverAPowerCut) {
  Lab lab("disks");
  ASSERT_TRUE(lab.Up({"--raw"}));
  lab.MustExec("node1", {"sh", "-c",
                         "for d in /etc/zcluster /var/lib/zcluster /etc/haproxy /run /tmp; do "
                         "echo $d > $d/mine; done; ip addr add 10.10.0.77/24 dev front"});
  const std::string card = lab.Read("node1", {"cat", "/sys/class/net/front/address"});
  EXPECT_NE(lab.Exec("node2", {"test", "-e", "/etc/haproxy/mine"}).code, 0);
  EXPECT_FALSE(std::filesystem::exists("/etc/haproxy/mine"));
  lab.MustRun({"kill", "node1"});
  EXPECT_NE(lab.Exec("client", {"ping", "-c", "1", "-W", "1", "10.10.0.1"}).code, 0);
  lab.MustRun({"revive", "node1"});
  EXPECT_EQ(lab.Read("node1",
                     {"cat", "/etc/zcluster/mine", "/var/lib/zcluster/mine", "/etc/haproxy/mine"}),
            "/etc/zcluster\n/var/lib/zcluster\n/etc/haproxy\n");
  EXPECT_NE(lab.Exec("node1", {"test", "-e", "/run/mine"}).code, 0);
  EXPECT_NE(lab.Exec("node1", {"test", "-e", "/tmp/mine"}).code, 0);
  EXPECT_THAT(lab.Read("node1", {"ip", "addr"}), Not(HasSubstr("10.10.0.77")));
  EXPECT_EQ(lab.Read("node1", {"cat", "/sys/class/net/front/address"}), card);
}

TEST(TheLab, CutsOneWayAndHeals) {
  Lab lab("cuts");
  ASSERT_TRUE(lab.Up({"--raw"}));
  auto hears = [&](const std::string& from, const std::string& to) {
    return lab.Exec(from, {"ping", "-c", "1", "-W", "1", to}).code == 0;
  };
  ASSERT_TRUE(hears("client", "10.10.0.1"));
  // The question arrives at node1; the answer does not arrive at the client.
  lab.MustRun({"cut", "node1", "client", "--one-way"});
  EXPECT_FALSE(hears("client", "10.10.0.1"));
  EXPECT_TRUE(hears("client", "10.10.0.2"));
  lab.MustRun({"heal"});
  EXPECT_TRUE(hears("client", "10.10.0.1"));

  lab.MustRun({"cut", "node1", "node2", "--only", "vrrp"});
  EXPECT_TRUE(hears("node1", "10.10.0.2"));
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return lab.Holders() == "node1 node2"; }))
      << "both nodes should think that they are alone";
  lab.MustRun({"kill", "node2"});
  lab.MustRun({"revive", "node2"});
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return lab.Holders() == "node1 node2"; }))
      << "a cut outlives a reboot";
  lab.MustRun({"heal"});
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return lab.HoldsAll("node1"); }));
}

TEST(TheLab, ClearsWhatAKilledRunLeft) {
  Lab lab("left");
  ASSERT_TRUE(lab.Up({"--raw"}));
  // As if the machine's memory of it were half gone, and a stray process still ran inside.
  Background stray(lab.ExecArgv("node1", {"sleep", "1000"}));
  std::filesystem::remove("/var/tmp/zlab-" + lab.name() + "/lab.conf");
  EXPECT_THAT(lab.Run({"status"}).err, HasSubstr("deploy/lab up"));
  ASSERT_TRUE(lab.Up({"--raw"}));
  EXPECT_NE(stray.Wait(), 0);
  EXPECT_TRUE(lab.HoldsAll(lab.Master()));
  lab.Down();
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return Traces(lab).empty(); })) << Traces(lab);
}

}  // namespace
}  // namespace zcluster::lab
