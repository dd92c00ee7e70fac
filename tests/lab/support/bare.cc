// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/support/bare.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace zcluster::lab {
std::ostream& operator<<(std::ostream& out, const NodeImage& image) {
  return out << "files:\n"
             << image.files << "state:\n"
             << image.state << "addresses:\n"
             << image.addresses << "tables:\n"
             << image.tables << "keepalived: " << image.processes << "\n";
}

void BareScenario::RaiseBare(const std::string& suite) { Raise(suite, {"--bare"}); }

void BareScenario::SetUp() {
  ASSERT_TRUE(raised()) << "the lab is not ready\n" << lab().Explain();
  for (const char* node : {"node1", "node2"}) {
    if (AgentPid(node) < 0) lab().MustRun({"agent", node, "start"});
    ASSERT_TRUE(WaitUntil(kLong, [&] { return IsBare(node) || InPair(node); })) << lab().Explain();
    if (InPair(node)) lab().MustExec(node, {"zctl", "cluster", "unconfigure", "--local", "--yes"});
    lab().Exec(node, {"zctl", "node", "unlock"});
    ASSERT_TRUE(WaitUntil(kLong, [&] { return IsBare(node); })) << lab().Explain();
  }
}

bool BareScenario::IsBare(const std::string& node) {
  // The journal goes last.
  return lab().Node(node, "local").role == "UNCONFIGURED" &&
         lab().Exec(node, {"test", "-e", "/var/lib/zcluster/journal.yaml"}).code == 1;
}

bool BareScenario::InPair(const std::string& node) {
  const std::string role = lab().Node(node, "local").role;
  return !role.empty() && role != "UNCONFIGURED";
}

NodeImage BareScenario::ImageOf(const std::string& node) {
  const auto shell = [&](const std::string& command) {
    return lab().Exec(node, {"sh", "-c", command}).out;
  };
  return {
      .files =
          shell("cd /etc/zcluster && find . -type f -exec stat -c '%n %a' {} + -exec sha256sum "
                "{} + | sort"),
      .state = shell("cd /var/lib/zcluster && find . -not -path './bootstrap*' -not -name "
                     "'audit.log*' | sort"),
      .addresses = shell("ip -o addr show | awk '{ print $2, $4 }' | sort"),
      .tables = shell("nft list tables"),
      .processes = shell("ps -C keepalived -o stat=,args= | grep -v '^Z' || true"),
  };
}

std::string BareScenario::Token(const std::string& node) {
  const Outcome token = lab().Exec(node, {"zctl", "node", "token"});
  EXPECT_EQ(token.code, 0) << token.err;
  return std::string(absl::StripAsciiWhitespace(token.out));
}

std::vector<std::string> BareScenario::CreateArgv(const std::vector<std::string>& flags) {
  std::vector<std::string> argv{"zctl",       "cluster",          "create",
                                "--local-ip", "10.10.0.1",        "--remote-ip",
                                "10.10.0.2",  "--check-interval", "100ms"};
  argv.insert(argv.end(), flags.begin(), flags.end());
  return argv;
}

Outcome BareScenario::Create(const std::vector<std::string>& flags, const std::string& input) {
  return lab().Exec("node1", CreateArgv(flags), input);
}

void BareScenario::MustCreate(const std::vector<std::string>& flags) {
  std::vector<std::string> all{"--token-stdin"};
  for (const char* vip : {"10.10.0.100/24", "fd10::100/64", "10.20.0.100/24", "fd20::100/64"}) {
    all.insert(all.end(), {"--vip", vip});
  }
  all.insert(all.end(), flags.begin(), flags.end());
  const Outcome created = Create(all, Token() + "\n");
  ASSERT_EQ(created.code, 0) << created.out << created.err << lab().Explain();
}

}  // namespace zcluster::lab
