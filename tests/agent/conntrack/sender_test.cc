// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/sender.h"

#include "agent/conntrack/batch.h"
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

// A backup that acknowledges what and when a test wants.
class RawBackup : public v1::ConntrackService::Service {
 public:
  RawBackup() {
    grpc::ServerBuilder builder;
    server_ = builder.RegisterService(this).BuildAndStart();
    channel_ = server_->InProcessChannel({});
  }
  ~RawBackup() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status Replicate(grpc::ServerContext*,
                         grpc::ServerReaderWriter<v1::FlowAck, v1::FlowBatch>* stream) override {
    {
      absl::MutexLock lock(&mutex_);
      stream_ = stream;
    }
    stream->SendInitialMetadata();
    v1::FlowBatch batch;
    while (stream->Read(&batch)) {
      absl::MutexLock lock(&mutex_);
      batches_.push_back(batch);
    }
    absl::MutexLock lock(&mutex_);
    stream_ = nullptr;  // nobody is writing any more
    return grpc::Status::OK;
  }

  size_t Batches() const {
    absl::MutexLock lock(&mutex_);
    return batches_.size();
  }
  v1::FlowBatch Batch(size_t i) const {
    absl::MutexLock lock(&mutex_);
    return batches_.at(i);
  }
  void Acknowledge(uint64_t sequence, uint64_t refused = 0) {
    v1::FlowAck ack;
    ack.set_sequence(sequence);
    ack.set_refused(refused);
    Say(ack);
  }
  void Say(const v1::FlowAck& ack) {
    absl::MutexLock lock(&mutex_);
    if (stream_ != nullptr) stream_->Write(ack);
  }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  mutable absl::Mutex mutex_;
  grpc::ServerReaderWriter<v1::FlowAck, v1::FlowBatch>* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::vector<v1::FlowBatch> batches_ ABSL_GUARDED_BY(mutex_);
};

class SenderTest : public testing::Test {
 protected:
  SenderTest() {
    Sender::Listener listener;
    listener.up = [this](bool only_plain) {
      only_plain_ = only_plain;
      up_ = true;
    };
    listener.flipped = [this] { ++flips_; };
    listener.closed = [this](const absl::Status&) { closed_ = true; };
    sender_ = Sender::Open(Sender::Call::kReplicate, backup_.channel(), changes_, term_, listener);
    EXPECT_TRUE(Eventually([this] { return up_.load(); }));
    changes_->BeginSnapshot();
    changes_->EndSnapshot();
    EXPECT_TRUE(Eventually([this] { return backup_.Batches() == 1; }));
  }
  ~SenderTest() override {
    sender_->Cancel();
    EXPECT_TRUE(Eventually([this] { return closed_.load(); }));
  }

  static bool Eventually(const std::function<bool()>& met) {
    return WaitUntil(absl::Seconds(20), met);
  }
  void Add(int i) { EXPECT_TRUE(changes_->Add({Natted(i)}, Loop::Now())); }

  RawBackup backup_;
  std::atomic<bool> up_{false}, closed_{false}, only_plain_{false};
  std::atomic<int> flips_{0};
  const std::shared_ptr<std::atomic<uint64_t>> term_ = std::make_shared<std::atomic<uint64_t>>(7);
  std::shared_ptr<Sender> sender_;
  const std::shared_ptr<Changes> changes_ = std::make_shared<Changes>([this] { sender_->Pump(); });
};

TEST_F(SenderTest, APeerThatSaysNothingTakesOnlyThePlain) { EXPECT_TRUE(only_plain_); }

TEST_F(SenderTest, IsSynchronisedOnceTheSnapshotIsAcknowledged) {
  EXPECT_EQ(backup_.Batch(0).term(), 7U);
  EXPECT_TRUE(backup_.Batch(0).snapshot_begins() && backup_.Batch(0).snapshot_ends());
  EXPECT_FALSE(sender_->synchronised());
  backup_.Acknowledge(1, 3);
  EXPECT_TRUE(Eventually([this] { return sender_->synchronised(); }));
  EXPECT_EQ(sender_->refused(), 3U);
  EXPECT_TRUE(Eventually([this] { return flips_ == 1; }));
  changes_->BeginSnapshot();
  changes_->EndSnapshot();
  EXPECT_TRUE(Eventually([this] { return backup_.Batches() == 2; }));
  EXPECT_FALSE(sender_->synchronised());
}

TEST_F(SenderTest, HearsWhatThePeerLacksAndWhenThatChangesByItself) {
  v1::FlowAck ack;
  ack.set_sequence(1);
  ack.set_digest(1);  // of a flow that is none
  ack.set_missing(4211);
  ack.set_table_entries(99);
  ack.set_table_maximum(100);
  backup_.Say(ack);
  EXPECT_TRUE(Eventually([this] { return sender_->lack() == Lack{4211, 99, 100}; }));
  EXPECT_TRUE(sender_->compared().differs);
  ack.set_digest(0);
  ack.set_missing(0);
  ack.set_table_entries(0);
  ack.set_table_maximum(0);
  backup_.Say(ack);
  EXPECT_TRUE(Eventually([this] { return sender_->lack() == Lack(); }));
  EXPECT_FALSE(sender_->compared().differs);
  EXPECT_TRUE(sender_->synchronised());
}

TEST_F(SenderTest, SendsAChangeAtOnceAndGathersForAPeerThatIsSlow) {
  term_->store(8);
  int next = 0;
  Add(next++);
  EXPECT_TRUE(Eventually([this] { return backup_.Batches() == 2; }));
  EXPECT_EQ(backup_.Batch(1).flows_size(), 1);
  EXPECT_EQ(backup_.Batch(1).term(), 8U);
  // No more than the window is under way, however many changes there are.
  EXPECT_TRUE(Eventually([&] {
    Add(next++);
    return backup_.Batches() == Sender::kWindow;
  }));
  for (int i = 0; i < 1000; ++i) Add(next + i % 500);
  backup_.Acknowledge(1);
  EXPECT_TRUE(Eventually([this] { return backup_.Batches() > Sender::kWindow; }));
  EXPECT_EQ(backup_.Batches(), Sender::kWindow + 1);
  EXPECT_GE(backup_.Batch(Sender::kWindow).flows_size(), 500);
  EXPECT_LT(backup_.Batch(Sender::kWindow).flows_size(), 600);  // each flow once
}

TEST_F(SenderTest, KnowsTheAgeOfWhatIsNotAcknowledged) {
  backup_.Acknowledge(1);
  EXPECT_TRUE(Eventually([this] { return sender_->synchronised(); }));
  const absl::Time now = Loop::Now();
  EXPECT_EQ(sender_->Lag(now), absl::ZeroDuration());
  EXPECT_TRUE(changes_->Add({Natted(0)}, now - absl::Seconds(5)));
  EXPECT_TRUE(Eventually([this] { return backup_.Batches() == 2; }));
  EXPECT_EQ(sender_->Lag(now), absl::Seconds(5));
  backup_.Acknowledge(2);
  EXPECT_TRUE(Eventually([&] { return sender_->Lag(now) == absl::ZeroDuration(); }));
}

TEST_F(SenderTest, TellsWhenThePeerHasAllThatWasBefore) {
  std::atomic<int> told{0};
  backup_.Acknowledge(1);
  Add(0);
  sender_->WhenAcknowledged(changes_->Next(), [&] { ++told; });
  EXPECT_TRUE(Eventually([this] { return backup_.Batches() == 2; }));
  EXPECT_EQ(told, 0);
  backup_.Acknowledge(2);
  EXPECT_TRUE(Eventually([&] { return told == 1; }));
  sender_->WhenAcknowledged(changes_->Next(), [&] { ++told; });
  EXPECT_TRUE(Eventually([&] { return told == 2; }));
}

TEST_F(SenderTest, LeavesAPeerThatAcknowledgesWhatItWasNeverSent) {
  backup_.Acknowledge(99);
  EXPECT_TRUE(Eventually([this] { return closed_.load(); }));
  EXPECT_FALSE(sender_->synchronised());
}

}  // namespace
}  // namespace zcluster::conntrack
