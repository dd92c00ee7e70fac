// SPDX-License-Identifier: Apache-2.0
#include "common/grpc_life.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <utility>

namespace zcluster {
namespace {

// A call that holds its channel alone, and nobody holds it.
class Call : public grpc::ClientUnaryReactor {
 public:
  static void Make(std::promise<grpc::StatusCode>& ended) {
    const grpc::Slice word("word");
    auto* call = new Call(ended);
    call->request_ = grpc::ByteBuffer(&word, 1);
    grpc::GenericStub(grpc::CreateChannel("unix:/nonexistent", grpc::InsecureChannelCredentials()))
        .PrepareUnaryCall(&call->context_, "/a/b", {}, &call->request_, &call->response_, call);
    call->StartCall();
  }

 private:
  explicit Call(std::promise<grpc::StatusCode>& ended) : ended_(ended) {}
  void OnDone(const grpc::Status& status) override {
    std::promise<grpc::StatusCode>& ended = ended_;
    delete this;
    ended.set_value(status.error_code());
  }

  std::promise<grpc::StatusCode>& ended_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_, response_;
};

TEST(GrpcLife, ACallMayEndTheLastChannel) {
  KeepGrpc();
  for (int i = 0; i < 20; ++i) {
    std::promise<grpc::StatusCode> ended;
    Call::Make(ended);
    EXPECT_EQ(ended.get_future().get(), grpc::StatusCode::UNAVAILABLE);
  }
}

}  // namespace
}  // namespace zcluster
