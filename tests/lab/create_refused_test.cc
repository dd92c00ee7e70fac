// SPDX-License-Identifier: Apache-2.0
// What must be refused is refused by name, says the way out, and changes nothing on either node.
// (The machines of a lab share one clock and one program: clocks, versions and names that do not
// fit are in tests/agent/lifecycle/facts_test.cc.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/lab/support/bare.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;

struct Case {
  std::string name;
  std::vector<std::string> flags = {};  // beside the addresses
  std::vector<std::string> says = {};   // all of it
  std::string prepare = {};             // on node2, before
  std::string restore = {};             // on node2, after
  std::string local_ip = "10.10.0.1";
  std::string remote_ip = "10.10.0.2";
  int code = 1;
};

class CreateRefused : public BareScenario, public testing::WithParamInterface<Case> {
 protected:
  static void SetUpTestSuite() { RaiseBare("crefuse"); }
};

TEST_P(CreateRefused, ByNameAndChangesNothing) {
  const Case& bad = GetParam();
  const std::string token = Token() + "\n";
  if (!bad.prepare.empty()) lab().MustExec("node2", {"sh", "-c", bad.prepare});
  const NodeImage before1 = ImageOf("node1"), before2 = ImageOf("node2");
  std::vector<std::string> argv{"zctl",       "cluster",     "create",      "--local-ip",
                                bad.local_ip, "--remote-ip", bad.remote_ip, "--token-stdin"};
  argv.insert(argv.end(), bad.flags.begin(), bad.flags.end());
  const Outcome refused = lab().Exec("node1", argv, token);
  EXPECT_EQ(refused.code, bad.code) << refused.out << refused.err;
  for (const std::string& text : bad.says) EXPECT_THAT(refused.err, HasSubstr(text));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return IsBare("node1") && ImageOf("node1") == before1; }))
      << before1 << ImageOf("node1");
  EXPECT_TRUE(WaitUntil(kLong, [&] { return ImageOf("node2") == before2; }))
      << before2 << ImageOf("node2");
  if (!bad.restore.empty()) lab().MustExec("node2", {"sh", "-c", bad.restore});
}

INSTANTIATE_TEST_SUITE_P(
    BadInput, CreateRefused,
    testing::Values(
        Case{.name = "TheSameAddressTwice",
             .says = {"remote-ip: is 10.10.0.1, the same as local-ip"},
             .remote_ip = "10.10.0.1",
             .code = 2},
        Case{.name = "AnAddressThatIsNotHere",
             .says = {"10.10.0.77 is not an address of node1; it has: 10.10.0.1 (front)"},
             .local_ip = "10.10.0.77"},
        Case{.name = "AnAddressOnLoopback",
             .says = {"127.0.0.1 on node1 cannot carry a pair"},
             .local_ip = "127.0.0.1"},
        Case{.name = "AVirtualAddressHere",
             .says = {"10.10.0.2 on node2 cannot carry a pair: "},
             .prepare =
                 "ip addr del 10.10.0.2/24 dev front && ip addr add 10.10.0.22/24 dev front && "
                 "ip addr add 10.10.0.2/24 dev front label front:1",
             .restore =
                 "ip addr flush dev front && ip addr add 10.10.0.2/24 dev front && ip addr add "
                 "fd10::2/64 dev front nodad"},
        Case{.name = "AnotherSubnet",
             .flags = {"--bootstrap", "10.10.0.2:7701"},
             .says = {"10.10.0.1/24 on node1 and 10.20.0.2 are in different subnets"},
             .remote_ip = "10.20.0.2"},
        Case{.name = "NobodyThere",
             .says = {"reach 10.10.0.99:7701", "10.10.0.99"},
             .remote_ip = "10.10.0.99"},
        Case{.name = "KeepalivedMissingThere",
             .says = {"node2: ", "keepalived", "install"},
             .prepare = "mount --bind /dev/null /usr/sbin/keepalived",
             .restore = "umount /usr/sbin/keepalived"},
        Case{.name = "ThePortInUseThere",
             .says = {"node2: TCP port 7700 cannot be used", "ss -tanp"},
             .prepare = "(setsid zlab-traffic serve --port 7700 --name x >/dev/null 2>&1 & echo $! "
                        ">/run/squatter) && timeout 20 sh -c 'until ss -ltn | grep -q :7700; do :; "
                        "done'",
             .restore = "kill $(cat /run/squatter)"},
        Case{.name = "AVipThatIsANodesAddress",
             .flags = {"--vip", "10.10.0.2/24"},
             .says = {"vips[0].address: is '10.10.0.2', a node's own address"},
             .code = 2},
        Case{.name = "AVipWithANewlineAndABrace",
             .flags = {"--vip", "10.10.0.100/24\n}"},
             .says = {"vips[0].address"},
             .code = 2},
        Case{.name = "AnInterfaceWithABrace",
             .flags = {"--vip", "10.10.0.100/24@a{b"},
             .says = {"vips[0].interface: is 'a{b'"},
             .code = 2},
        Case{.name = "ANameWithABrace",
             .flags = {"--name", "a{b"},
             .says = {"name: is 'a{b'"},
             .code = 2},
        Case{.name = "AnIntervalOutOfRange",
             .flags = {"--check-interval", "5ms"},
             .says = {"advert_interval", "10ms to 40.95s"},
             .code = 2},
        Case{.name = "ARouterIdOutOfRange",
             .flags = {"--router-id", "256"},
             .says = {"router"},
             .code = 2},
        Case{.name = "ARootThatHoldsTheAgentsFiles",
             .flags = {"--root", "/etc"},
             .says = {"roots[0].path: is '/etc', which holds or lies in the agent's own"},
             .code = 2}),
    [](const testing::TestParamInfo<Case>& tested) { return tested.param.name; });

TEST_F(CreateRefused, ATokenThatWasUsedMistypedOrReplaced) {
  const std::string token = Token();
  const Outcome first = Create({"--token-stdin"}, token + "\n");
  ASSERT_EQ(first.code, 0) << first.err;
  lab().MustExec("node1", {"zctl", "cluster", "unconfigure", "--yes"});
  ASSERT_TRUE(WaitUntil(kLong, [] { return IsBare("node2"); }));
  const Outcome used = Create({"--token-stdin"}, token + "\n");
  EXPECT_EQ(used.code, 4) << used.err;
  EXPECT_THAT(used.err, HasSubstr("used"));

  std::string typo = Token();
  typo[typo.size() / 2] = typo[typo.size() / 2] == 'x' ? 'y' : 'x';
  const Outcome mistyped = Create({"--token-stdin"}, typo + "\n");
  EXPECT_NE(mistyped.code, 0);
  EXPECT_THAT(mistyped.err, HasSubstr("mistyped"));

  const std::string older = Token();
  Token();
  const Outcome replaced = Create({"--token-stdin"}, older + "\n");
  EXPECT_NE(replaced.code, 0);
  EXPECT_TRUE(IsBare("node1") && IsBare("node2"));
}

TEST_F(CreateRefused, ARemoteThatIsInAPairAlready) {
  const std::string token = Token();
  MustCreate();
  lab().MustExec("node1", {"zctl", "cluster", "unconfigure", "--local", "--yes"});
  const Outcome refused = Create({"--token-stdin"}, token + "\n");
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("takes no joins"));
  EXPECT_TRUE(IsBare("node1"));
}

}  // namespace
}  // namespace zcluster::lab
