// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/member.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/config/config.h"
#include "agent/lifecycle/change.h"
#include "common/file.h"
#include "common/pki.h"
#include "common/tls.h"
#include "tests/support/certificates.h"

namespace zcluster::lifecycle {
namespace {

using testing::HasSubstr;

class Member : public testing::Test {
 protected:
  Member() {
    paths_.agent_file = directory_.path() + "/agent.yaml";
    paths_.pair_file = directory_.path() + "/pair.yaml";
    paths_.state_dir = directory_.path() + "/state";
    paths_.run_dir = directory_.path() + "/run";
    EXPECT_TRUE(MakeDirectories(paths_.state_dir, 0700).ok());
  }

  static Membership MakeMembership() {
    Membership member;
    member.agent.mutable_node()->set_name("lb1");
    member.agent.mutable_node()->set_address("192.0.2.1");
    member.agent.mutable_node()->set_interface("eth0");
    member.agent.mutable_peer()->set_name("lb2");
    member.agent.mutable_peer()->set_address("192.0.2.2");
    member.pair.set_name("main");
    member.pair.mutable_vrrp()->set_router_id(51);
    member.pair.set_generation(1);
    const std::string uri = tls::NodeUri("main", "lb1");
    member.identity.ca_key = *pki::MakeKey();
    member.identity.ca = *pki::MakeCa(member.identity.ca_key, "CA");
    member.identity.key = *pki::MakeKey();
    member.identity.certificate =
        *pki::Sign(*pki::MakeRequest(member.identity.key, uri), member.identity.ca,
                   member.identity.ca_key, {uri, absl::Hours(1)});
    return member;
  }

  void Write(const std::string& text) {
    ASSERT_TRUE(WriteFileDurably(paths_.agent_file, text, 0640).ok());
  }
  std::string AgentFile() const { return ReadFile(paths_.agent_file).value_or("(none)"); }

  test::TempDirectory directory_;
  Paths paths_;
};

TEST_F(Member, IsInstalledAsTheConfigurationReadsIt) {
  Write("# mine\nprograms: [/usr/bin/true]  # and this\n");
  ASSERT_TRUE(InstallMember(paths_, MakeMembership()).ok());
  const auto settings = config::Load(paths_.agent_file, paths_.pair_file);
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_TRUE(settings->agent.in_pair);
  EXPECT_EQ(settings->agent.peer_name, "lb2");
  EXPECT_EQ(settings->agent.programs.size(), 1u);
  EXPECT_EQ(settings->pair->generation, 1u);
  EXPECT_TRUE(
      tls::CheckOwnFiles(identity::FilesIn(paths_.IdentityDir()), tls::NodeUri("main", "lb1"))
          .ok());
}

TEST_F(Member, IsTakenBackToTheLetter) {
  const std::string mine = "# mine\nprograms: [/usr/bin/true]  # and this\n\n# the end\n";
  Write(mine);
  ASSERT_TRUE(InstallMember(paths_, MakeMembership()).ok());
  ASSERT_TRUE(identity::Install(paths_.ControllerDir(), MakeMembership().identity).ok());
  ASSERT_TRUE(RemoveMember(paths_).ok());
  EXPECT_EQ(AgentFile(), mine);
  EXPECT_NE(::access(paths_.pair_file.c_str(), F_OK), 0);
  EXPECT_NE(::access(paths_.StoreFile().c_str(), F_OK), 0);
  EXPECT_TRUE(absl::IsNotFound(identity::Load(paths_.IdentityDir()).status()));
  EXPECT_TRUE(absl::IsNotFound(identity::Load(paths_.ControllerDir()).status()));
}

TEST_F(Member, TakesItsEventsWithIt) {
  ASSERT_TRUE(InstallMember(paths_, MakeMembership()).ok());
  const std::string other = paths_.state_dir + "/event.log";
  ASSERT_TRUE(WriteFileDurably(other, "", 0600).ok());
  for (const char* suffix : {"", "-wal", "-shm", ".broken-1", ".broken-1-wal"}) {
    ASSERT_TRUE(WriteFileDurably(paths_.EventsFile() + suffix, "x", 0600).ok());
  }
  ASSERT_TRUE(RemoveMember(paths_).ok());
  for (const char* suffix : {"", "-wal", "-shm", ".broken-1", ".broken-1-wal"}) {
    EXPECT_NE(::access((paths_.EventsFile() + suffix).c_str(), F_OK), 0) << suffix;
  }
  EXPECT_EQ(::access(other.c_str(), F_OK), 0);
}

TEST_F(Member, LeavesNoFileWhereThereWasNone) {
  ASSERT_TRUE(InstallMember(paths_, MakeMembership()).ok());
  ASSERT_TRUE(RemoveMember(paths_).ok());
  EXPECT_EQ(AgentFile(), "(none)");
}

TEST_F(Member, KeepsWhatTheOperatorAddedSince) {
  Write("programs: [/usr/bin/true]\n");
  ASSERT_TRUE(InstallMember(paths_, MakeMembership()).ok());
  Write(AgentFile() + "listen: \"[::]:7800\"\n");
  ASSERT_TRUE(RemoveMember(paths_).ok());
  EXPECT_EQ(AgentFile(), "programs: [/usr/bin/true]\nlisten: \"[::]:7800\"\n");
}

TEST_F(Member, IsRemovedFromEveryHalfOfAnInstallation) {
  // As if the crash had come after each of its files.
  ASSERT_TRUE(InstallMember(paths_, MakeMembership()).ok());
  ASSERT_TRUE(RemoveFileDurably(paths_.agent_file).ok());
  EXPECT_TRUE(RemoveMember(paths_).ok());
  EXPECT_TRUE(RemoveMember(paths_).ok()) << "nothing is left, and that is no error";
  ASSERT_TRUE(identity::Install(paths_.IdentityDir(), MakeMembership().identity).ok());
  EXPECT_TRUE(RemoveMember(paths_).ok());
  EXPECT_TRUE(absl::IsNotFound(identity::Load(paths_.IdentityDir()).status()));
}

TEST_F(Member, OfAPairMadeByHandIsKeptBeside) {
  Write(
      "node: {name: lb1, address: 192.0.2.1, interface: eth0}\n"
      "peer: {name: lb2, address: 192.0.2.2}\n"
      "programs: [/usr/bin/true]\n");
  const std::string pair = "name: main\nvrrp: {router_id: 51}\n";
  ASSERT_TRUE(WriteFileDurably(paths_.pair_file, pair, 0644).ok());
  ASSERT_TRUE(RemoveMember(paths_).ok());
  EXPECT_THAT(AgentFile(), HasSubstr("/usr/bin/true"));
  EXPECT_FALSE(config::ParseAgent("agent.yaml", AgentFile())->in_pair);
  EXPECT_EQ(ReadFile(paths_.pair_file + ".old").value_or(""), pair);
  EXPECT_THAT(ReadFile(paths_.agent_file + ".old").value_or(""), HasSubstr("peer:"));
}

TEST_F(Member, CannotBePutBehindAFileThatIsNoPlainMappingOrHasTheSections) {
  Write("{programs: [/usr/bin/true]}\n");
  EXPECT_FALSE(CheckInstallable(paths_).ok());
  Write("listen: \"[::]:7700\"\nnode: {name: lb1, address: 192.0.2.1, interface: eth0}\n");
  EXPECT_THAT(std::string(CheckInstallable(paths_).message()), HasSubstr("node: is given twice"));
  Write("listen: \"[::]:7700\"\n");
  EXPECT_TRUE(CheckInstallable(paths_).ok());
}

}  // namespace
}  // namespace zcluster::lifecycle
