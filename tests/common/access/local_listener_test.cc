// SPDX-License-Identifier: Apache-2.0
#include "common/access/local_listener.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "tests/support/local_client.h"
#include "tests/support/loop_thread.h"
#include "tests/support/certificates.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::access {
namespace {

using testing::HasSubstr;

constexpr char kNoGroup[] = "no-such-group";

// Says who called; can be made to think.
class WhoAmI : public v1::ClusterService::CallbackService {
 public:
  explicit WhoAmI(const LocalCallers& callers) : callers_(callers) {}

  grpc::ServerUnaryReactor* Nodes(grpc::CallbackServerContext* context, const v1::NodesRequest*,
                                  v1::NodesResponse* response) override {
    const absl::optional<Caller> caller = callers_.Find(context->peer());
    response->add_nodes()->set_message(caller ? caller->name : "nobody");
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::MutexLock lock(&mutex_);
    if (std::exchange(thinks_, false)) {
      peer_ = context->peer();
      thinking_ = reactor;
    } else {
      reactor->Finish(grpc::Status::OK);
    }
    return reactor;
  }

  void Think() {
    absl::MutexLock lock(&mutex_);
    thinks_ = true;
  }
  // Waits for the call that is thought over; its peer, as gRPC calls it.
  std::string AwaitCall() {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](grpc::ServerUnaryReactor** r) { return *r != nullptr; }, &thinking_),
        absl::Seconds(20));
    return peer_;
  }
  void Answer() {
    absl::MutexLock lock(&mutex_);
    thinking_->Finish(grpc::Status::OK);
  }

 private:
  const LocalCallers& callers_;
  absl::Mutex mutex_;
  bool thinks_ ABSL_GUARDED_BY(mutex_) = false;
  std::string peer_ ABSL_GUARDED_BY(mutex_);
  grpc::ServerUnaryReactor* thinking_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

std::unique_ptr<grpc::Server> Start(grpc::Service& service) {
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  return builder.BuildAndStart();
}

// What a server says over `channel`.
std::string Ask(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  v1::NodesResponse response;
  const grpc::Status status = v1::ClusterService::NewStub(channel)->Nodes(&call, {}, &response);
  return status.ok() ? response.nodes(0).message() : status.error_message();
}

class LocalListenerTest : public testing::Test {
 protected:
  absl::Status Listen(const std::string& path, const std::string& group = kNoGroup) {
    auto made = LocalListener::Listen(loop_.loop(), callers_, path, group);
    if (!made.ok()) return made.status();
    loop_.Do([&] { listener_ = *std::move(made); });
    return absl::OkStatus();
  }
  void TearDown() override {
    loop_.Do([&] { listener_.reset(); });
  }
  void Serve(grpc::Server* server) {
    loop_.Do([&] { listener_->Serve(server); });
  }
  static unsigned ModeOf(const std::string& path) {
    struct stat info;
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  static gid_t GroupOf(const std::string& path) {
    struct stat info;
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_gid;
  }

  test::TempDirectory directory_;
  const std::string path_ = directory_.path() + "/agent.sock";
  test::LoopThread loop_;
  LocalCallers callers_;
  std::unique_ptr<LocalListener> listener_;
};

TEST_F(LocalListenerTest, OnlyOurUserMayConnectWithoutTheGroup) {
  const std::string below = directory_.path() + "/run";
  ASSERT_EQ(Listen(below + "/agent.sock"), absl::OkStatus());
  EXPECT_EQ(ModeOf(below), 0700u);
  EXPECT_EQ(ModeOf(below + "/agent.sock"), 0600u);
}

TEST_F(LocalListenerTest, TheGroupMayConnectIfThereIsOne) {
  const std::string below = directory_.path() + "/run";
  ASSERT_EQ(Listen(below + "/agent.sock", test::kGroup), absl::OkStatus());
  const gid_t group = test::GroupId();
  EXPECT_EQ(ModeOf(below), 0750u);
  EXPECT_EQ(GroupOf(below), group);
  EXPECT_EQ(ModeOf(below + "/agent.sock"), 0660u);
  EXPECT_EQ(GroupOf(below + "/agent.sock"), group);
}

TEST_F(LocalListenerTest, ADirectoryThatIsOpenToOthersIsLeftAsItIs) {
  ::chmod(directory_.path().c_str(), 0755);  // /run, say
  ASSERT_EQ(Listen(path_, test::kGroup), absl::OkStatus());
  EXPECT_EQ(ModeOf(directory_.path()), 0755u);
  EXPECT_EQ(GroupOf(directory_.path()), ::getegid());
}

TEST_F(LocalListenerTest, ReplacesWhatADeadAgentLeft) {
  {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    const sockaddr_un address = test::UnixAddress(path_);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  EXPECT_EQ(Listen(path_), absl::OkStatus());
}

TEST_F(LocalListenerTest, LeavesALivingAgentAlone) {
  ASSERT_EQ(Listen(path_), absl::OkStatus());
  const absl::Status second =
      LocalListener::Listen(loop_.loop(), callers_, path_, kNoGroup).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.message()), HasSubstr("systemctl stop zagent"));
  EXPECT_TRUE(test::Connect(path_).ok());
}

TEST_F(LocalListenerTest, DoesNotRemoveAFile) {
  std::ofstream(path_) << "precious";
  EXPECT_EQ(Listen(path_).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::ifstream(path_).good());
}

TEST_F(LocalListenerTest, RefusesADirectoryThatOthersMayChange) {
  ::chmod(directory_.path().c_str(), 0777);
  const absl::Status status = Listen(path_, test::kGroup);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("mode 777"));
  EXPECT_EQ(ModeOf(directory_.path()), 0777u) << "it may be /tmp: not ours to change";
}

TEST_F(LocalListenerTest, RefusesAPathThatNoSocketCanHave) {
  for (const std::string& path :
       {std::string("relative.sock"), directory_.path() + std::string(120, 'x')}) {
    EXPECT_EQ(Listen(path).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(LocalListenerTest, RemovesItsSocketAtTheEndAndNoOther) {
  ASSERT_EQ(Listen(path_), absl::OkStatus());
  loop_.Do([&] { listener_.reset(); });
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
  ASSERT_EQ(Listen(path_), absl::OkStatus());
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  std::ofstream(path_) << "another's";
  loop_.Do([&] { listener_.reset(); });
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
}

TEST_F(LocalListenerTest, KnowsEachCaller) {
  WhoAmI service(callers_);
  const auto server = Start(service);
  ASSERT_EQ(Listen(path_, test::kGroup), absl::OkStatus());
  ::chmod(directory_.path().c_str(), 0755);
  Serve(server.get());
  EXPECT_EQ(Ask(test::ChannelAs(path_, test::kRoot)), "root");
  EXPECT_EQ(Ask(test::ChannelAs(path_, test::kMember)), "uid 65534 (nobody)");
  Serve(nullptr);
  server->Shutdown(std::chrono::system_clock::now());
}

TEST_F(LocalListenerTest, AConnectionWaitsUntilThereIsAServer) {
  ASSERT_EQ(Listen(path_), absl::OkStatus());
  const auto channel = test::ChannelAs(path_, test::kRoot);  // connected, and not accepted
  WhoAmI service(callers_);
  const auto server = Start(service);
  Serve(server.get());
  EXPECT_EQ(Ask(channel), "root");
  Serve(nullptr);
  server->Shutdown(std::chrono::system_clock::now());
}

TEST_F(LocalListenerTest, AnOldConnectionStaysWithItsServer) {
  v1::ClusterService::CallbackService second_service;  // answers that it has no such method
  WhoAmI first_service(callers_);
  const auto first = Start(first_service);
  const auto second = Start(second_service);
  ASSERT_EQ(Listen(path_), absl::OkStatus());
  Serve(first.get());
  const auto old = test::ChannelAs(path_, test::kRoot);
  ASSERT_EQ(Ask(old), "root");
  Serve(second.get());
  EXPECT_EQ(Ask(old), "root");
  EXPECT_EQ(Ask(test::ChannelAs(path_, test::kRoot)), "");
  first->Shutdown(std::chrono::system_clock::now());
  EXPECT_EQ(Ask(test::ChannelAs(path_, test::kRoot)), "") << "the second serves on";
  Serve(nullptr);
  second->Shutdown(std::chrono::system_clock::now());
}

// Else a call of one user could be taken for one of root, who connects in that moment.
TEST_F(LocalListenerTest, ADescriptorIsNotGivenAwayWhileACallOverItIsOpen) {
  WhoAmI service(callers_);
  const auto server = Start(service);
  ASSERT_EQ(Listen(path_, test::kGroup), absl::OkStatus());
  ::chmod(directory_.path().c_str(), 0755);
  Serve(server.get());
  service.Think();  // over the next call
  auto call = std::make_unique<grpc::ClientContext>();
  v1::NodesRequest request;
  v1::NodesResponse response;
  absl::Notification ended;
  auto stub = v1::ClusterService::NewStub(test::ChannelAs(path_, test::kRoot));
  stub->async()->Nodes(call.get(), &request, &response,
                       [&](const grpc::Status&) { ended.Notify(); });
  std::string peer = service.AwaitCall();
  int fd = -1;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripPrefix(peer, "fd:"), &fd)) << peer;
  struct stat before;
  ASSERT_EQ(::fstat(fd, &before), 0);
  call->TryCancel();
  ended.WaitForNotification();
  call.reset();
  stub.reset();  // the last holder of its connection
  const auto is_the_same = [&] {
    struct stat now;
    return ::fstat(fd, &now) == 0 && now.st_ino == before.st_ino;
  };
  // Those who knock meanwhile get other numbers.
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(Ask(test::ChannelAs(path_, test::kMember)), "uid 65534 (nobody)");
    ASSERT_TRUE(is_the_same()) << "closed, or given to another, while the call was open";
  }
  service.Answer();
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (is_the_same() && absl::Now() < deadline)
    EXPECT_EQ(Ask(test::ChannelAs(path_, test::kMember)), "uid 65534 (nobody)");
  EXPECT_FALSE(is_the_same()) << "it is not closed after the call either: this test proves nothing";
  Serve(nullptr);
  server->Shutdown(std::chrono::system_clock::now());
}

}  // namespace
}  // namespace zcluster::access
