// SPDX-License-Identifier: Apache-2.0
#include "common/access/server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/agent/access/house.h"
#include "tests/support/local_client.h"
#include "tests/support/open_guard.h"

namespace zcluster::access {
namespace {

using testing::HasSubstr;

// An empty message to a unary method.
grpc::Status CallEmpty(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  grpc::Slice nothing;
  grpc::GenericStub stub(channel);
  const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&nothing, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status;
}

constexpr char kHealth[] = "/grpc.health.v1.Health/Check";

TEST(Server, TellsItsCallersThatItIsWell) {
  House house;
  const grpc::Status status = CallEmpty(test::ChannelAs(house.socket, test::kMember), kHealth);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

// gRPC's own services know no guard: what stands before them does.
TEST(Server, TellsNothingToARevokedOperatorWhoseConnectionIsStillThere) {
  House house;
  const tls::Files files = house.IssueOperator("vera");
  house.access.SetOperators({House::Admitted("vera", Right::kViewer, files)});
  const auto channel = house.Dial(house.operators_port, &files);
  ASSERT_TRUE(CallEmpty(channel, kHealth).ok());
  house.access.SetOperators({});
  EXPECT_FALSE(CallEmpty(channel, kHealth).ok());
}

TEST(Server, EndsWhatARevokedOperatorWatches) {
  House house;
  const tls::Files files = house.IssueOperator("vera");
  house.access.SetOperators({House::Admitted("vera", Right::kViewer, files)});
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  const auto done = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  grpc::Slice nothing;
  grpc::GenericStub stub(house.Dial(house.operators_port, &files));
  const auto call = stub.PrepareCall(&context, "/grpc.health.v1.Health/Watch", &queue);
  call->StartCall(nullptr);
  ASSERT_TRUE(done());
  call->WriteLast(grpc::ByteBuffer(&nothing, 1), grpc::WriteOptions(), nullptr);
  ASSERT_TRUE(done());
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  ASSERT_TRUE(done());
  house.access.SetOperators({});
  call->Read(&answer, nullptr);
  EXPECT_FALSE(done());
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST(Server, SaysWhyItCannotListen) {
  House house;
  test::OpenGuard guard;
  const std::string taken = absl::StrCat("127.0.0.1:", house.operators_port);
  const auto second = StartServer(guard, {}, {taken, grpc::InsecureServerCredentials()});
  EXPECT_EQ(second.status().message(),
            absl::StrCat("cannot listen on ", taken, ": Address already in use"));
}

TEST(Server, NeedsNoPort) {
  test::OpenGuard guard;
  const auto server = StartServer(guard, {}, {});
  ASSERT_TRUE(server.ok()) << server.status();
  (*server)->Shutdown();
}

}  // namespace
}  // namespace zcluster::access
