// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/receiver.h"

#include "tests/agent/conntrack/raw_master.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

class ReceiverTest : public testing::Test {
 protected:
  ReceiverTest() {
    node_.Listen(node_);  // nobody calls its peer here
    EXPECT_TRUE(node_.started().ok()) << node_.started();
  }

  Node node_;
};

TEST_F(ReceiverTest, OnlyAMasterMerges) {
  node_.Assume(Role::kBackup, 5);
  EXPECT_EQ(RawMaster(node_, true).End().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  node_.Assume(Role::kMaster, 5);
  RawMaster early(node_, true);
  EXPECT_EQ(early.Send(early.Next(4, NattedFlows(10))), 1U);
  EXPECT_EQ(Texts(node_.netns()).size(), 10U);
  RawMaster late(node_, true);
  EXPECT_EQ(late.Send(late.Next(6, NattedFlows(10, "10.1.0.2", 100))), 0U);
  EXPECT_EQ(late.End().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Texts(node_.netns()).size(), 10U);
  // One that gives way itself takes nobody's.
  node_.Merge(Role::kBackup, 5);
  EXPECT_EQ(early.Send(early.Next(4, NattedFlows(10, "10.1.0.2", 200))), 0U);
  EXPECT_EQ(Texts(node_.netns()).size(), 10U);
}

TEST_F(ReceiverTest, AcknowledgesWhatIsInTheKernel) {
  node_.Assume(Role::kBackup, 5);
  RawMaster master(node_);
  EXPECT_EQ(master.Send(master.Next(5, NattedFlows(100))), 1U);
  EXPECT_EQ(Texts(node_.netns()).size(), 100U);
  EXPECT_EQ(master.Send(master.Next(6, NattedFlows(10, "10.1.0.2", 100))),
            2U);  // its master was promoted again
  EXPECT_EQ(Texts(node_.netns()).size(), 110U);
}

TEST_F(ReceiverTest, RefusesAnOlderTerm) {
  node_.Assume(Role::kBackup, 5);
  RawMaster former(node_);
  EXPECT_EQ(former.Send(former.Next(4, NattedFlows(1))), 0U);
  EXPECT_EQ(former.End().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(Texts(node_.netns()).empty());

  RawMaster master(node_);
  EXPECT_EQ(master.Send(master.Next(7, NattedFlows(1))), 1U);
  RawMaster older(node_);
  EXPECT_EQ(older.Send(older.Next(6, {})), 0U);
  EXPECT_EQ(older.End().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(master.Send(master.Next(7, {})), 2U);  // undisturbed
  EXPECT_EQ(Texts(node_.netns()).size(), 1U);
}

TEST_F(ReceiverTest, ANewerStreamReplacesTheOld) {
  node_.Assume(Role::kBackup, 5);
  RawMaster first(node_);
  EXPECT_EQ(first.Send(first.Next(5, NattedFlows(10))), 1U);
  RawMaster second(node_);
  EXPECT_EQ(second.Send(second.Next(5, NattedFlows(5))), 1U);
  EXPECT_EQ(first.End().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(Texts(node_.netns()).size(), 5U);
  EXPECT_EQ(second.Send(second.Next(5, NattedFlows(6))), 2U);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return node_.State().synchronised; }));
}

TEST_F(ReceiverTest, OnlyAStandbyLetsAMasterIn) {
  for (const Role role : {Role::kUnknown, Role::kMaster, Role::kFault}) {
    node_.Assume(role, 5);
    RawMaster master(node_);
    EXPECT_EQ(master.Send(master.Next(9, NattedFlows(1))), 0U);
    EXPECT_EQ(master.End().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  }
  EXPECT_TRUE(Texts(node_.netns()).empty());
}

TEST_F(ReceiverTest, APromotionEndsTheStream) {
  node_.Assume(Role::kBackup, 5);
  RawMaster master(node_);
  EXPECT_EQ(master.Send(master.Next(5, NattedFlows(10))), 1U);
  node_.Assume(Role::kMaster, 6);
  EXPECT_EQ(master.End().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Texts(node_.netns()).size(), 10U);
}

TEST_F(ReceiverTest, AnInvalidBatchEndsTheStreamAndChangesNothing) {
  node_.Assume(Role::kBackup, 5);
  const auto refuses = [&](const std::function<void(v1::FlowBatch&)>& spoil) {
    RawMaster master(node_);
    EXPECT_EQ(master.Send(master.Next(5, {Natted(0)})), 1U);
    v1::FlowBatch batch = master.Next(5, {Natted(1), Natted(2)});
    spoil(batch);
    EXPECT_EQ(master.Send(batch), 0U);
    const grpc::Status status = master.End();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_FALSE(status.error_message().empty());
    EXPECT_EQ(Texts(node_.netns()), std::vector<std::string>{Describe(Natted(0))});
  };
  refuses([](v1::FlowBatch& batch) { batch.mutable_flows(1)->set_source_port(70000); });
  refuses([](v1::FlowBatch& batch) { batch.mutable_flows(1)->clear_source_v4(); });
  refuses([](v1::FlowBatch& batch) { batch.set_sequence(7); });
  refuses([](v1::FlowBatch& batch) { batch.set_snapshot_ends(true); });
  refuses([](v1::FlowBatch& batch) { batch.set_term(0); });
  refuses([](v1::FlowBatch& batch) {
    for (int i = 0; i <= kMaxFlowsInBatch; ++i) Write(Natted(i), *batch.add_flows());
  });
}

TEST_F(ReceiverTest, BytesThatAreNoBatchEndTheStream) {
  node_.Assume(Role::kBackup, 5);
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateChannel(node_.address(), grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  const grpc::internal::RpcMethod method("/zcluster.v1.ConntrackService/Replicate",
                                         grpc::internal::RpcMethod::BIDI_STREAMING);
  const std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, v1::FlowAck>> stream(
      grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, v1::FlowAck>::Create(
          channel.get(), method, &context));
  const grpc::Slice garbage("\xff\xfe no protobuf at all");
  stream->Write(grpc::ByteBuffer(&garbage, 1));
  v1::FlowAck ack;
  EXPECT_FALSE(stream->Read(&ack));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(Texts(node_.netns()).empty());
}

TEST_F(ReceiverTest, AMessageBeyondGrpcsBoundEndsTheStream) {
  node_.Assume(Role::kBackup, 5);
  RawMaster master(node_);
  EXPECT_EQ(master.Send(master.Next(5, {Natted(0)})), 1U);
  v1::FlowBatch batch = master.Next(5, {});
  for (int i = 0; i < 200'000; ++i) Write(Natted(i % 60'000), *batch.add_flows());
  EXPECT_EQ(master.Send(batch), 0U);
  EXPECT_FALSE(master.End().ok());
  EXPECT_EQ(Texts(node_.netns()).size(), 1U);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return !node_.State().synchronised; }));
}

class Quiet : public Gate::Stream {
 public:
  using Stream::Stream;

 private:
  void End(const absl::Status&) override {}
};

TEST(Gate, AStreamThatWasReplacedIsNotLetInAgain) {
  Netns netns;
  netns.Run([] {
    absl::StatusOr<std::unique_ptr<Injector>> injector = Injector::Start(*Filter::Make({}));
    ASSERT_TRUE(injector.ok());
    const auto gate = std::make_shared<Gate>(Gate::For::kBackup, [] {});
    gate->Open(1, **injector);
    const auto push = [&gate](const std::shared_ptr<Quiet>& stream, uint64_t term) {
      Injector::Batch batch;
      batch.applied = [](const Injector::Applied&) {};
      return gate->Push(stream, term, std::move(batch)).code();
    };
    const auto slow = std::make_shared<Quiet>(gate->Arrive());  // its first batch comes last
    const auto first = std::make_shared<Quiet>(gate->Arrive());
    const auto second = std::make_shared<Quiet>(gate->Arrive());
    EXPECT_EQ(push(first, 1), absl::StatusCode::kOk);
    EXPECT_EQ(push(second, 1), absl::StatusCode::kOk);
    EXPECT_EQ(push(first, 1), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(push(slow, 1), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(push(second, 1), absl::StatusCode::kOk);
    gate->Gone(second.get());
    EXPECT_EQ(push(first, 1), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(push(slow, 2), absl::StatusCode::kOk);  // a later master, whenever it came
    gate->Shut(absl::UnavailableError("over"));
  });
}

TEST(Gate, NoMoreThanSoManyBatchesWait) {
  Netns netns;
  netns.Run([] {
    absl::StatusOr<std::unique_ptr<Injector>> injector = Injector::Start(*Filter::Make({}));
    ASSERT_TRUE(injector.ok());
    const auto gate = std::make_shared<Gate>(Gate::For::kBackup, [] {});
    gate->Open(1, **injector);
    // The injector is kept busy by an answer that takes its time.
    std::promise<void> release;
    const std::shared_future<void> released = release.get_future().share();
    (*injector)->Barrier([released] { released.wait(); });
    const auto stream = std::make_shared<Quiet>(gate->Arrive());
    absl::Status status;
    size_t pushed = 0;
    for (; status.ok() && pushed <= 2 * Injector::kMaxWaiting; ++pushed) {
      Injector::Batch batch;
      batch.applied = [](const Injector::Applied&) {};
      status = gate->Push(stream, 1, std::move(batch));
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_GE(pushed, Injector::kMaxWaiting);
    release.set_value();
    gate->Shut(absl::UnavailableError("over"));
  });
}

}  // namespace
}  // namespace zcluster::conntrack
