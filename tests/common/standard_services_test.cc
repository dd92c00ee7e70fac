// SPDX-License-Identifier: Apache-2.0
#include "common/standard_services.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace zcluster {
namespace {

// A server that builds itself as `prepare` says.
class Served {
 public:
  explicit Served(void (*prepare)(grpc::ServerBuilder&)) {
    grpc::ServerBuilder builder;
    prepare(builder);
    builder.RegisterCallbackGenericService(&others_);  // answers all else: UNIMPLEMENTED
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    server_ = builder.BuildAndStart();
    channel_ = grpc::CreateChannel(absl::StrCat("ipv4:127.0.0.1:", port),
                                   grpc::InsecureChannelCredentials());
  }
  ~Served() { server_->Shutdown(std::chrono::system_clock::now()); }

  // The code of a call of `method` with an empty message, or OK as soon as it answers.
  grpc::StatusCode Call(const std::string& method) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    grpc::CompletionQueue queue;
    const auto done = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    grpc::GenericStub stub(channel_);
    const auto call = stub.PrepareCall(&context, method, &queue);
    call->StartCall(nullptr);
    done();
    grpc::Slice nothing;
    call->Write(grpc::ByteBuffer(&nothing, 1), nullptr);
    done();
    grpc::ByteBuffer answer;
    call->Read(&answer, nullptr);
    const bool answered = done();
    if (answered) context.TryCancel();
    grpc::Status status;
    call->Finish(&status, nullptr);
    done();
    return answered ? grpc::StatusCode::OK : status.error_code();
  }

 private:
  grpc::CallbackGenericService others_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

constexpr char kHealth[] = "/grpc.health.v1.Health/Watch";
constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

TEST(StandardServices, AreThereWhereTheyAreAdded) {
  Served served(AddStandardServices);
  EXPECT_EQ(served.Call(kHealth), grpc::StatusCode::OK);
  EXPECT_EQ(served.Call(kReflection), grpc::StatusCode::OK);
}

TEST(StandardServices, AreNotThereWhereTheyAreRefusedThoughAnotherServerHasThem) {
  Served with(AddStandardServices);
  Served without(NoStandardServices);
  EXPECT_EQ(without.Call(kHealth), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(without.Call(kReflection), grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace zcluster
