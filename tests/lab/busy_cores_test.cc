// SPDX-License-Identifier: Apache-2.0
// Adverts of 10 ms while busy programs want every processor: nobody changes roles, and keepalived
// goes before them by real-time scheduling, our loop below it. (Without that and without the
// nice value in keepalived's configuration it flaps dozens of times: STACK.md, §3.)
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

constexpr absl::Duration kBusy = absl::Seconds(6);

class BusyCores : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("busy", {"--advert", "10ms"}); }

  // The scheduling of keepalived's VRRP process, as the node's administrator sees it.
  static std::string Scheduling(const std::string& node) {
    return lab().Read(
        node, {"sh", "-c",
               "chrt -p $(cat /run/zcluster/keepalived-vrrp.pid); chrt -p $(pgrep -x zagent)"});
  }
};

TEST_F(BusyCores, DoNotMoveTheVips) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  for (const std::string& node : {master, backup}) {
    EXPECT_TRUE(WaitUntil(kLong, [&] {
      const std::string seen = Scheduling(node);
      return seen.find("priority: 50") != std::string::npos &&
             seen.find("priority: 20") != std::string::npos;
    })) << Scheduling(node);
  }
  const int64_t term = Term(master);
  const int before = Transitions(master) + Transitions(backup);

  std::vector<std::unique_ptr<Background>> busy;
  const std::string span = absl::StrCat(absl::ToInt64Seconds(kBusy));
  for (int i = 0; i < 2 * static_cast<int>(std::thread::hardware_concurrency()); ++i) {
    busy.push_back(std::make_unique<Background>(
        std::vector<std::string>{"timeout", span, "sh", "-c", "while :; do :; done"}));
  }
  for (const auto& each : busy) each->Wait();

  EXPECT_EQ(Transitions(master) + Transitions(backup), before);
  EXPECT_EQ(Term(master), term);
  EXPECT_TRUE(lab().HoldsAll(master));
  for (const std::string& node : {master, backup}) {
    EXPECT_EQ(lab().Read(node, {"sh", "-c", "cat /var/log/zcluster/*.log | grep heartbeat_hung"}),
              "");
  }
}

}  // namespace
}  // namespace zcluster::lab
