// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/event_stream.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "agent/peer/hello.h"
#include "tests/agent/peer/pair.h"
#include "zcluster/v1/peer.grpc.pb.h"

namespace zcluster::peer {
namespace {

using testing::HasSubstr;

// A peer with a good certificate that sends what it likes. Blocks; each step has gRPC's deadline of
// the call.
class RawPeer {
 public:
  RawPeer(int port, const tls::Files& files)
      : stub_(MakeChannel({absl::StrCat("127.0.0.1:", port)},
                          tls::ClientCredentials(files, {"zcluster://lab/node/b"}, nullptr))) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    stream_ = stub_.PrepareCall(&context_, "/zcluster.v1.PeerService/Link", &queue_);
    stream_->StartCall(nullptr);
    EXPECT_TRUE(Next());
  }
  ~RawPeer() {
    context_.TryCancel();
    if (!finished_) Finish();
  }

  void Write(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    stream_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    Next();
  }
  void Write(const v1::PeerMessage& message) { Write(message.SerializeAsString()); }
  void SayHello() {
    Options options;
    options.pair = "lab";
    options.node = "a";
    v1::PeerMessage message;
    *message.mutable_hello() = MakeHello(options, core::Term{1});
    message.mutable_hello()->set_protocol(1);
    Write(message);
  }
  // The next message; empty if the stream ended.
  absl::optional<v1::PeerMessage> Read() {
    grpc::ByteBuffer bytes;
    stream_->Read(&bytes, nullptr);
    if (!Next()) return absl::nullopt;
    v1::PeerMessage message;
    EXPECT_TRUE(grpc::SerializationTraits<v1::PeerMessage>::Deserialize(&bytes, &message).ok());
    return message;
  }
  grpc::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    Next();
    finished_ = true;
    return status;
  }

 private:
  bool Next() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  bool finished_ = false;
};

class StreamTest : public PairTest {
 protected:
  void SetUp() override {
    b_ = MakeB();
    b_->Start();
    files_ = Files("a");
  }
  std::unique_ptr<RawPeer> Peer() { return std::make_unique<RawPeer>(b_->port(), files_); }
  std::unique_ptr<RawPeer> Greeted() {
    auto peer = Peer();
    peer->SayHello();
    EXPECT_TRUE(peer->Read().has_value());
    EXPECT_TRUE(b_->events.Next<core::PeerConnected>().has_value());
    return peer;
  }
  // The stream must end with INVALID_ARGUMENT and `reason`, and no state may have been reported.
  void ExpectRefused(RawPeer& peer, const std::string& reason) {
    EXPECT_FALSE(peer.Read().has_value());
    const grpc::Status status = peer.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(reason));
    EXPECT_THAT(b_->events.Reason(reason), HasSubstr(reason));
  }

  tls::Files files_;
};

TEST_F(StreamTest, GarbageAfterTheHelloEndsItWithAReason) {
  auto peer = Greeted();
  peer->Write("\xff\xff\xff garbage");
  ExpectRefused(*peer, "an unreadable message");
}

TEST_F(StreamTest, GarbageInsteadOfAHelloEndsItWithAReason) {
  auto peer = Peer();
  peer->Write("\xff\xff\xff garbage");
  ExpectRefused(*peer, "an unreadable message");
}

TEST_F(StreamTest, AnOversizedMessageEndsItWithAReason) {
  auto peer = Greeted();
  v1::PeerMessage message;
  message.mutable_state()->set_message(std::string(2 << 20, 'x'));
  peer->Write(message);
  ExpectRefused(*peer, "at most 1048576 are allowed");
}

TEST_F(StreamTest, BeyondGrpcsOwnBoundItEndsTooAndTheServerLivesOn) {
  auto peer = Greeted();
  peer->Write(std::string(3 << 20, 'x'));
  EXPECT_FALSE(peer->Read().has_value());
  EXPECT_FALSE(peer->Finish().ok());
  EXPECT_NE(Greeted(), nullptr);
}

TEST_F(StreamTest, ASecondHelloEndsItWithAReason) {
  auto peer = Greeted();
  peer->SayHello();
  ExpectRefused(*peer, "a second hello");
}

TEST_F(StreamTest, AStateOutOfBoundsEndsItWithAReason) {
  auto peer = Greeted();
  v1::PeerMessage message;
  message.mutable_state()->set_priority(1000);
  peer->Write(message);
  ExpectRefused(*peer, "priority");
}

TEST_F(StreamTest, AMissingHelloEndsItWithAReason) {
  auto peer = Peer();
  ExpectRefused(*peer, "no hello within 3 s");
}

TEST_F(StreamTest, AWrongHelloIsAnsweredFailedPrecondition) {
  auto peer = Peer();
  v1::PeerMessage message;
  message.mutable_hello()->set_pair("prod");
  message.mutable_hello()->set_node("a");
  peer->Write(message);
  EXPECT_FALSE(peer->Read().has_value());
  const grpc::Status status = peer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("of the pair 'prod', b of 'lab'"));
}

TEST_F(StreamTest, ANewStreamReplacesTheOldOne) {
  auto first = Greeted();
  auto second = Greeted();
  EXPECT_FALSE(first->Read().has_value());
  EXPECT_EQ(first->Finish().error_code(), grpc::StatusCode::ABORTED);
  v1::PeerMessage message;
  message.mutable_state()->set_term(77);
  second->Write(message);
  EXPECT_TRUE(
      b_->events
          .Next<core::PeerReported>([](const auto& event) { return event.state.term.value == 77; })
          .has_value());
}

TEST_F(StreamTest, AStoppingServerTellsItsPeer) {
  auto peer = Greeted();
  b_->Stop();
  while (peer->Read().has_value()) {
  }
  EXPECT_THAT(peer->Finish().error_message(), HasSubstr("zagent on b stops"));
}

TEST_F(StreamTest, APeerThatDoesNotReadCostsNoMemory) {
  auto peer = Greeted();
  // Far more than fits into the windows of HTTP/2 and TCP: nothing but the last one may be kept.
  core::NodeState state;
  state.not_ready.assign(64, std::string(1000, 'x'));
  for (uint64_t term = 1; term <= 2000; ++term) {
    state.term.value = term;
    b_->Tell(state);
  }
  uint64_t last = 0;
  int messages = 0;
  while (last < 2000) {
    const auto message = peer->Read();
    ASSERT_TRUE(message.has_value()) << last;
    EXPECT_GT(message->state().term(), last);
    last = message->state().term();
    ++messages;
  }
  EXPECT_LT(messages, 1000);
}

}  // namespace
}  // namespace zcluster::peer
