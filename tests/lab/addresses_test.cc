// SPDX-License-Identifier: Apache-2.0
// Hundreds of VIPs of both families on two interfaces: they come and go on a live pair without a
// second master, and move as one. Where they are the network is told: seen in the neighbour table
// of a client that asks nobody.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

// On the front, of the client's table.
constexpr int kIpv4 = 200, kIpv6 = 50;
// On the back.
constexpr int kBehind = 50;
constexpr char kNobody[] = "02:00:00:de:ad:00";

class Addresses : public Scenario {
 protected:
  static void SetUpTestSuite() {
    Raise("addr");
    if (!raised()) return;
    const int before = Changes();
    const Outcome added = Configure("--vip-add");
    EXPECT_EQ(added.code, 0) << added.out << added.err;
    EXPECT_EQ(Changes(), before) << "more VIPs, and somebody changed roles";
  }

  static std::vector<std::string> Vips() {
    std::vector<std::string> vips;
    for (int i = 1; i <= kIpv4; ++i) vips.push_back(absl::StrCat("10.10.9.", i, "/32@front"));
    for (int i = 1; i <= kIpv6; ++i) vips.push_back(absl::StrCat("fd10::9:", i, "/128@front"));
    for (int i = 1; i <= kBehind; ++i) vips.push_back(absl::StrCat("10.20.9.", i, "/32@back"));
    return vips;
  }
  static Outcome Configure(const std::string& flag) {
    std::vector<std::string> argv = {"zctl", "cluster", "configure", "--yes"};
    for (const std::string& vip : Vips()) {
      argv.push_back(flag);
      argv.push_back(flag == "--vip-add" ? vip : vip.substr(0, vip.find('/')));
    }
    return lab().Exec(lab().Master(), argv);
  }

  static int Number(const std::string& machine, const std::string& script) {
    int number = -1;
    const std::string text = lab().Read(machine, {"sh", "-c", script + " || true"});
    return absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &number) ? number : -1;
  }
  // How many of Vips() it has.
  static int Has(const std::string& node) {
    return Number(node, "ip -o addr | grep -cE '(10.10.9.|10.20.9.|fd10::9:)'");
  }
  static int Changes() { return Transitions("node1") + Transitions("node2"); }

  static std::string CardOf(const std::string& node) {
    return std::string(
        absl::StripAsciiWhitespace(lab().Read(node, {"cat", "/sys/class/net/front/address"})));
  }
  // The client believes that all VIPs on the front are at `card`. It asks nobody: it only listens.
  static void Believe(const std::string& card) {
    lab().MustExec("client", {"sh", "-c",
                              absl::StrCat("{ for i in $(seq 1 ", kIpv4,
                                           "); do echo neigh replace 10.10.9.$i lladdr ", card,
                                           " dev front nud stale; done; for i in $(seq 1 ", kIpv6,
                                           "); do echo neigh replace fd10::9:$i lladdr ", card,
                                           " dev front nud stale; done; } | ip -batch -")});
  }
  static int Believed(const std::string& card) {
    return Number("client",
                  "ip neigh show dev front | grep -E '^(10.10.9.|fd10::9:)' | grep -c " + card);
  }
  static testing::AssertionResult IsTold(const std::string& node) {
    const std::string card = CardOf(node);
    if (WaitUntil(kLong, [&] { return Believed(card) == kIpv4 + kIpv6; }))
      return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << "the client believes that " << Believed(card) << " are at " << node << "\n"
           << lab().Read("client", {"ip", "neigh"});
  }
  // Announcements come once, again after one second and after five; then the network is quiet.
  static void AwaitQuiet() {
    absl::Time since = absl::InfinitePast();
    EXPECT_TRUE(WaitUntil(kLong, [&] {
      if (since == absl::InfinitePast() || Believed(kNobody) != kIpv4 + kIpv6) {
        Believe(kNobody);
        since = absl::Now();
      }
      return absl::Now() - since > absl::Seconds(6);
    })) << "announcements do not end";
  }
};

TEST_F(Addresses, MoveAsOneAndTheNetworkIsToldTwice) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  EXPECT_TRUE(WaitUntil(kLong, [&] { return Has(master) == kIpv4 + kIpv6 + kBehind; }));
  EXPECT_EQ(Has(backup), 0);
  AwaitQuiet();
  const Outcome moved = lab().Exec(master, {"zctl", "switchover"});
  ASSERT_EQ(moved.code, 0) << moved.out << moved.err;
  EXPECT_TRUE(IsTold(backup));
  EXPECT_TRUE(
      WaitUntil(kLong, [&] { return Has(backup) == kIpv4 + kIpv6 + kBehind && Has(master) == 0; }));
  // A frame may be lost, a switch may not be ready: it is told again.
  Believe(kNobody);
  EXPECT_TRUE(IsTold(backup));
}

TEST_F(Addresses, TheNetworkIsToldAgainAfterASplitHasHealed) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustRun({"cut", "node1", "node2"});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return Has(master) > 0 && Has(backup) == Has(master); }));
  AwaitQuiet();
  lab().MustRun({"heal"});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return Has(master) == 0 || Has(backup) == 0; }));
  EXPECT_TRUE(IsTold(lab().Master()));
}

TEST_F(Addresses, Ipv6IsThereAsSoonAsIpv4) {
  const std::string master = lab().Master(), heir = Lab::Peer(master);
  // Where a host would look whether somebody else has its address, for a second.
  for (const char* node : {"node1", "node2"}) {
    lab().MustExec(node, {"sysctl", "-qw", "net.ipv6.conf.front.accept_dad=1",
                          "net.ipv6.conf.all.accept_dad=1"});
  }
  Traffic probe = Probe();
  Traffic probe6(lab(), {"probe", "--to", "[fd10::100]:7007"});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return probe6.Report()["answered"].as<int>() > 50; }));
  probe6.Mark();
  lab().MustRun({"kill", master});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(heir) && Has(heir) > 0; }));
  // None of them waits for that: they are usable from the moment on that they are there.
  const std::string vips = "ip -6 -o addr show dev front | grep -E 'fd10::(100|9:)'";
  EXPECT_EQ(Number(heir, vips + " | wc -l"), kIpv6 + 1);
  EXPECT_EQ(Number(heir, vips + " | grep -c nodad"), kIpv6 + 1);
  EXPECT_EQ(Number(heir, vips + " | grep -cE 'tentative|dadfailed'"), 0);
  AwaitAnswers(probe);
  AwaitAnswers(probe6);
  RecordProperty("outage_ms", probe.Stop()["outage_ms"].as<std::string>());
  RecordProperty("outage6_ms", probe6.Stop()["outage_ms"].as<std::string>());
  lab().MustRun({"revive", master});
}

// The last one: it takes them away.
TEST_F(Addresses, GoWithoutASecondMaster) {
  const std::string master = lab().Master();
  const int before = Changes();
  const Outcome removed = Configure("--vip-remove");
  EXPECT_EQ(removed.code, 0) << removed.out << removed.err;
  EXPECT_TRUE(WaitUntil(kLong, [&] { return Has("node1") == 0 && Has("node2") == 0; }));
  EXPECT_EQ(Changes(), before);
  EXPECT_TRUE(lab().HoldsAll(master));
}

}  // namespace
}  // namespace zcluster::lab
