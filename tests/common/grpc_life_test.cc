// SPDX-License-Identifier: Apache-2.0
#include "common/grpc_life.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <set>
#include <utility>

#include "absl/time/clock.h"
#include "tests/support/threads.h"

namespace zcluster {
namespace {

// A call that ends on a thread of gRPC, and is the last to hold its channel.
class LastHolder : public grpc::ClientUnaryReactor {
 public:
  // Returns when it has ended.
  static grpc::StatusCode Make() {
    std::promise<void> alone;
    std::promise<grpc::StatusCode> ended;
    auto* call = new LastHolder(alone.get_future(), ended);
    {
      const auto channel =
          grpc::CreateChannel("unix:/nonexistent", grpc::InsecureChannelCredentials());
      grpc::GenericStub(channel).PrepareUnaryCall(&call->context_, "/a/b", {}, &call->request_,
                                                  &call->response_, call);
      call->StartCall();
    }
    alone.set_value();
    return ended.get_future().get();
  }

 private:
  LastHolder(std::future<void> alone, std::promise<grpc::StatusCode>& ended)
      : alone_(std::move(alone)), ended_(ended) {
    const grpc::Slice word("word");
    request_ = grpc::ByteBuffer(&word, 1);
  }
  void OnDone(const grpc::Status& status) override {
    alone_.wait();
    std::promise<grpc::StatusCode>& ended = ended_;
    delete this;
    ended.set_value(status.error_code());
  }

  const std::future<void> alone_;
  std::promise<grpc::StatusCode>& ended_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_, response_;
};

TEST(GrpcLife, ACallMayEndTheLastChannel) {
  KeepGrpc();
  std::set<pid_t> kept;  // each names itself when it begins
  const absl::Time end = absl::Now() + absl::Seconds(10);
  while (kept.empty() && absl::Now() < end) kept = test::Threads("nexting_thread");
  ASSERT_FALSE(kept.empty());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(LastHolder::Make(), grpc::StatusCode::UNAVAILABLE);
  const std::set<pid_t> now = test::Threads("nexting_thread");
  EXPECT_TRUE(std::includes(now.begin(), now.end(), kept.begin(), kept.end()));
}

}  // namespace
}  // namespace zcluster
