// SPDX-License-Identifier: Apache-2.0
// A flow of each kind that conntrack knows lives through a power cut, and through another one of
// the node that took over; and active FTP's data connection, announced before, opens after it. The
// control run without replication loses them all.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

constexpr const char* kKinds[] = {"udp",  "echo",  "sctp",  "gre",  "esp",
                                  "udp6", "echo6", "sctp6", "esp6", "ftp"};

// The farm for `kinds`: the backends in turn, from the VIP of the backs.
constexpr char kFarm[] = R"(
table ip zlab_kinds {
  ct helper ftp { type "ftp" protocol tcp; }
  chain helper { type filter hook prerouting priority -150; tcp dport 21 ct helper set "ftp"; }
  chain prerouting {
    type nat hook prerouting priority -110;
    ip daddr 10.10.0.100 tcp dport 21 dnat to numgen inc mod 2 map { 0 : 10.20.0.11, 1 : 10.20.0.12 }
    ip daddr 10.10.0.100 udp dport 7100 dnat to numgen inc mod 2 map { 0 : 10.20.0.11, 1 : 10.20.0.12 }
    ip daddr 10.10.0.100 meta l4proto { icmp, sctp, gre, esp } dnat to numgen inc mod 2 map { 0 : 10.20.0.11, 1 : 10.20.0.12 }
  }
  chain postrouting {
    type nat hook postrouting priority 90;
    oifname back ct status dnat ip saddr != 10.20.0.0/24 snat to 10.20.0.100
  }
}
table ip6 zlab_kinds {
  chain prerouting {
    type nat hook prerouting priority -110;
    ip6 daddr fd10::100 udp dport 7100 dnat to numgen inc mod 2 map { 0 : fd20::11, 1 : fd20::12 }
    ip6 daddr fd10::100 icmpv6 type echo-request dnat to numgen inc mod 2 map { 0 : fd20::11, 1 : fd20::12 }
    ip6 daddr fd10::100 meta l4proto { sctp, esp } dnat to numgen inc mod 2 map { 0 : fd20::11, 1 : fd20::12 }
  }
  chain postrouting {
    type nat hook postrouting priority 90;
    oifname back ct status dnat ip6 saddr != fd20::/64 snat to fd20::100
  }
}
)";
// Whoever takes over refuses what is new of it, so that only what was replicated goes on.
constexpr char kNothingNew[] = R"(
table inet zlab_nothing_new {
  chain forward {
    type filter hook forward priority 0;
    meta l4proto { icmp, sctp, gre, esp } ct state new drop
    icmpv6 type echo-request ct state new drop
    udp dport 7100 ct state new drop
    tcp dport 21 ct state new drop
  }
}
)";

class FlowKinds : public Scenario {
 protected:
  static void LoadFarm(const std::string& node) {
    EXPECT_EQ(lab().Exec(node, {"nft", "-f", "-"}, kFarm).code, 0);
  }
  static void AllowNothingNew(const std::string& node) {
    EXPECT_EQ(lab().Exec(node, {"nft", "-f", "-"}, kNothingNew).code, 0);
  }

  // The backends serve, and each kind is answered.
  static Traffic Begin() {
    for (const char* node : {"node1", "node2"}) LoadFarm(node);
    for (const char* backend : {"backend1", "backend2"}) {
      lab().MustExec(backend, {"sh", "-c",
                               absl::StrCat("setsid zlab-traffic serve-kinds --name ", backend,
                                            " </dev/null >>/var/log/kinds.log 2>&1 &")});
    }
    Traffic traffic(lab(), {"kinds", "--to", "10.10.0.100", "--to6", "fd10::100"});
    EXPECT_TRUE(WaitUntil(kLong, [&] { return traffic.Report()["ready"].as<bool>(); }))
        << traffic.Report();
    return traffic;
  }

  // Each kind is answered after the mark, by its first backend, and FTP's file comes.
  static void ExpectAllAlive(Traffic& traffic) {
    traffic.Mark();
    YAML::Node report;
    EXPECT_TRUE(WaitUntil(kLong, [&] {
      report = traffic.Report();
      bool all = report["ftp"]["data"].as<int>() == 1 && report["ready"].as<bool>();
      for (const char* kind : kKinds) all = all && report[kind]["answered"].as<int>() > 10;
      return all;
    })) << report;
    for (const char* kind : kKinds) EXPECT_EQ(report[kind]["others"].as<int>(0), 0) << report;
  }

  static void CutPower(const std::string& master) {
    const std::string backup = Lab::Peer(master);
    const int64_t term = Term(backup);
    AllowNothingNew(backup);
    lab().MustRun({"kill", master});
    ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup) && Term(backup) > term; }));
  }
};

class FlowKindsReplicated : public FlowKinds {
 protected:
  static void SetUpTestSuite() { Raise("flowkinds"); }
};

TEST_F(FlowKindsReplicated, LiveThroughAPowerCutAndThroughAnotherOneBack) {
  const std::string first = lab().Master(), second = Lab::Peer(first);
  Traffic traffic = Begin();
  AwaitReplicated(first, static_cast<int>(std::size(kKinds)));
  CutPower(first);
  ExpectAllAlive(traffic);

  lab().MustRun({"revive", first});
  LoadFarm(first);
  AwaitReady();
  AwaitReplicated(second, static_cast<int>(std::size(kKinds)));
  CutPower(second);
  ExpectAllAlive(traffic);
  lab().MustRun({"revive", second});
  AwaitReady();
}

class FlowKindsWithoutReplication : public FlowKinds {
 protected:
  static void SetUpTestSuite() { Raise("kindscontrol", {"--no-replication"}); }
};

TEST_F(FlowKindsWithoutReplication, AreAllLost) {
  const std::string master = lab().Master();
  Traffic traffic = Begin(), probe = Probe();
  CutPower(master);
  AwaitAnswers(probe);
  traffic.Mark();
  Traffic requests = Requests(50);
  ASSERT_TRUE(WaitUntil(kLong, [&] { return requests.Report()["ok"].as<int>() > 150; }));
  const YAML::Node report = traffic.Report();
  for (const char* kind : kKinds) EXPECT_EQ(report[kind]["answered"].as<int>(), 0) << report;
}

}  // namespace
}  // namespace zcluster::lab
