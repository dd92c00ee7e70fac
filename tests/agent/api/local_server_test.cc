// SPDX-License-Identifier: Apache-2.0
#include "agent/api/local_server.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>

#include "common/unique_fd.h"
#include "tests/agent/api/node.h"

namespace zcluster::api {
namespace {

using testing::HasSubstr;

class LocalServerTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/zt-api-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/agent.sock";
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(directory_.c_str());
  }
  // Leaves a socket that nobody listens on.
  void LeaveStaleSocket() {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path_.c_str());
    ASSERT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  unsigned ModeOf(const std::string& path) {
    struct stat info;
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  v1::ClusterService::CallbackService service_;
  std::string directory_;
  std::string path_;
};

TEST_F(LocalServerTest, OnlyOurUserMayConnect) {
  const std::string below = directory_ + "/run";
  auto server = StartLocalServer(below + "/agent.sock", {&service_});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(ModeOf(below), 0700u);
  EXPECT_EQ(ModeOf(below + "/agent.sock"), 0600u);
  (*server)->Shutdown();
  unlink((below + "/agent.sock").c_str());
  rmdir(below.c_str());
}

TEST_F(LocalServerTest, ReplacesWhatADeadAgentLeft) {
  LeaveStaleSocket();
  auto server = StartLocalServer(path_, {&service_});
  EXPECT_TRUE(server.ok()) << server.status();
}

TEST_F(LocalServerTest, LeavesALivingAgentAlone) {
  auto first = StartLocalServer(path_, {&service_});
  ASSERT_TRUE(first.ok()) << first.status();
  auto second = StartLocalServer(path_, {&service_});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("systemctl stop zagent"));
  auto channel = grpc::CreateChannel("unix:" + path_, grpc::InsecureChannelCredentials());
  EXPECT_TRUE(
      channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(20)));
}

TEST_F(LocalServerTest, DoesNotRemoveAFile) {
  std::ofstream(path_) << "precious";
  auto server = StartLocalServer(path_, {&service_});
  EXPECT_EQ(server.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::ifstream(path_).good());
}

TEST_F(LocalServerTest, RefusesADirectoryThatOthersMayChange) {
  chmod(directory_.c_str(), 0777);
  auto server = StartLocalServer(path_, {&service_});
  EXPECT_EQ(server.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("mode 777"));
  EXPECT_EQ(ModeOf(directory_), 0777u) << "it may be /tmp: not ours to change";
}

TEST_F(LocalServerTest, RefusesAPathThatNoSocketCanHave) {
  for (const std::string& path :
       {std::string("relative.sock"), directory_ + std::string(120, 'x')}) {
    EXPECT_EQ(StartLocalServer(path, {&service_}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace zcluster::api
