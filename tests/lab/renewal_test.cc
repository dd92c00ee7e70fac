// SPDX-License-Identifier: Apache-2.0
// Certificates of seconds renew themselves, on both nodes, while the link and an operator's stream
// stay up; one that cannot be renewed says so in MESSAGE.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "tests/lab/support/bare.h"

namespace zcluster::lab {
namespace {

class Renewal : public BareScenario {
 protected:
  static void SetUpTestSuite() {
    RaiseBare("renewal");
    for (const char* node : {"node1", "node2"}) {
      lab().Exec(node, {"sh", "-c", "echo 'tls: {lifetime: 15s}' >>/etc/zcluster/agent.yaml"});
      lab().Run({"agent", node, "restart"});
    }
  }
  static std::string Serial(const std::string& node) {
    return lab().Read(node, {"openssl", "x509", "-noout", "-serial", "-in",
                             "/var/lib/zcluster/tls/current/node.crt"});
  }
  // Times that the node's link went down since its agent started.
  static std::string Losses(const std::string& node) {
    return lab().Read(node, {"sh", "-c", "grep -c peer_lost /var/log/zcluster/agent.log || true"});
  }
};

TEST_F(Renewal, KeepsTheStreamsUp) {
  MustCreate();
  AwaitReady();
  const std::string losses1 = Losses("node1"), losses2 = Losses("node2");
  std::set<std::string> serials1, serials2;
  EXPECT_TRUE(WaitUntil(absl::Seconds(120), [&] {
    serials1.insert(Serial("node1"));
    serials2.insert(Serial("node2"));
    return serials1.size() >= 4 && serials2.size() >= 4;
  })) << "no certificate was renewed three times";
  EXPECT_EQ(Losses("node1"), losses1);
  EXPECT_EQ(Losses("node2"), losses2);
  EXPECT_TRUE(lab().Ready());
  // New connections, by certificates that did not exist when the pair was made.
  lab().MustRun({"agent", "node2", "restart"});
  AwaitReady();
}

TEST_F(Renewal, ThatCannotBeIsSaidInMessage) {
  MustCreate();
  AwaitReady();
  lab().MustExec("node1", {"sh", "-c", "rm /var/lib/zcluster/tls/current/ca.key"});
  EXPECT_TRUE(WaitUntil(absl::Seconds(60), [] {
    return lab().Node("node1", "local").message.find("certificate") != std::string::npos;
  })) << lab().Node("node1", "local").message;
  EXPECT_TRUE(WaitUntil(kLong, [] {
    return lab().Node("node2", "remote").message.find("certificate") != std::string::npos;
  })) << lab().Node("node2", "remote").message;
}

}  // namespace
}  // namespace zcluster::lab
