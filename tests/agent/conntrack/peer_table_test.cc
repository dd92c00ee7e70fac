// SPDX-License-Identifier: Apache-2.0
// What a peer may answer, and what is refused.
#include "agent/conntrack/peer_table.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "agent/conntrack/batch.h"
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

using testing::HasSubstr;

// A peer that answers what a test has it answer.
class FakePeer : public v1::ComparisonService::Service {
 public:
  FakePeer() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    channel =
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
  }
  ~FakePeer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  v1::BeginComparisonResponse begin;
  v1::TableSums sums;
  std::vector<v1::BucketFlows> parts;
  v1::LookResponse look;
  grpc::Status end;
  bool hangs = false;
  std::shared_ptr<grpc::Channel> channel;

 private:
  grpc::Status End(grpc::ServerContext* context) const {
    WaitUntil(absl::Minutes(1), [&] { return !hangs || context->IsCancelled(); });
    return end;
  }
  grpc::Status Begin(grpc::ServerContext* context, const v1::BeginComparisonRequest*,
                     v1::BeginComparisonResponse* response) override {
    *response = begin;
    return End(context);
  }
  grpc::Status Sum(grpc::ServerContext* context, const v1::SumTableRequest*,
                   v1::TableSums* response) override {
    *response = sums;
    return End(context);
  }
  grpc::Status Read(grpc::ServerContext* context, const v1::ReadBucketsRequest*,
                    grpc::ServerWriter<v1::BucketFlows>* writer) override {
    for (const v1::BucketFlows& part : parts) writer->Write(part);
    return End(context);
  }
  grpc::Status Look(grpc::ServerContext* context, const v1::LookRequest*,
                    v1::LookResponse* response) override {
    *response = look;
    return End(context);
  }
  std::unique_ptr<grpc::Server> server_;
};

class PeerTableTest : public testing::Test {
 protected:
  absl::Status ReadAll() {
    BucketSet buckets;
    buckets.set(BucketOf(Natted(1).key));
    return peers_.Read(buckets, [this](absl::Span<const Flow> part) { shown_ += part.size(); });
  }
  void Offer(const Flow& flow) {
    if (peer_.parts.empty()) peer_.parts.emplace_back();
    Write(flow, *peer_.parts.back().add_flows());
  }

  FakePeer peer_;
  Halt halt_;
  PeerTable peers_{peer_.channel, halt_};
  size_t shown_ = 0;
};

TEST_F(PeerTableTest, TellsWhatWasAskedFor) {
  Offer(Natted(1));
  EXPECT_EQ(ReadAll(), absl::OkStatus());
  EXPECT_EQ(shown_, 1u);
}

TEST_F(PeerTableTest, RefusesAFlowOfAnotherBucket) {
  ASSERT_NE(BucketOf(Natted(1).key), BucketOf(Natted(2).key));
  Offer(Natted(2));
  EXPECT_THAT(ReadAll().message(), HasSubstr("nonsense: a flow that was not asked for"));
  EXPECT_EQ(shown_, 0u);
}

TEST_F(PeerTableTest, RefusesAPartThatIsTooLong) {
  for (size_t i = 0; i <= Table::kMaxPart; ++i) Offer(Natted(1));
  EXPECT_THAT(ReadAll().message(), HasSubstr("at most 1024"));
  EXPECT_EQ(shown_, 0u);
}

TEST_F(PeerTableTest, RefusesAFlowThatIsNone) {
  peer_.parts.emplace_back().add_flows()->set_protocol(300);
  EXPECT_EQ(ReadAll().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(shown_, 0u);
}

TEST_F(PeerTableTest, RefusesSumsOfAnotherNumber) {
  peer_.sums.add_flows(1);
  Table::Sums sums;
  EXPECT_THAT(peers_.Sum(sums).message(), HasSubstr("expected 4096 and 8192"));
}

TEST_F(PeerTableTest, RefusesAnswersToWhatWasNotAsked) {
  const std::vector<FlowKey> keys = {Natted(1).key};
  EXPECT_THAT(peers_.Look(keys).status().message(), HasSubstr("0 flows where 1 were asked for"));
  Write(Natted(2), *peer_.look.add_flows());
  EXPECT_THAT(peers_.Look(keys).status().message(), HasSubstr("a flow that was not asked for"));
}

TEST_F(PeerTableTest, RefusesAddressesThatAreNone) {
  peer_.begin.add_addresses("x");
  EXPECT_THAT(peers_.Begin().status().message(), HasSubstr("expected 16 bytes"));
}

TEST_F(PeerTableTest, SaysThatAnOldAgentCannot) {
  peer_.end = {grpc::StatusCode::UNIMPLEMENTED, ""};
  EXPECT_THAT(peers_.Begin().status().message(), HasSubstr("is too old"));
}

TEST_F(PeerTableTest, SaysThatThePeerIsAwayAndNotThatWeAre) {
  peer_.end = {grpc::StatusCode::UNAVAILABLE, "gone"};
  EXPECT_EQ(peers_.Begin().status(),
            absl::FailedPreconditionError("the peer does not answer: gone"));
}

TEST_F(PeerTableTest, GivesUpWhenItIsHalted) {
  peer_.hangs = true;
  std::thread halter([this] { halt_.Set(); });
  EXPECT_FALSE(peers_.Begin().ok());
  EXPECT_FALSE(ReadAll().ok());
  halter.join();
}

}  // namespace
}  // namespace zcluster::conntrack
