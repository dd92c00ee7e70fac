// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "agent/bootstrap/bootstrap.h"
#include "tests/agent/bootstrap/node.h"
#include "tests/agent/bootstrap/stranger.h"
#include "tests/support/tls_probe.h"

// What strangers may do to the port.
namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;

class Hostile : public NodeTest {
 protected:
  void TearDown() override {
    // Whatever was done, an honest caller gets in.
    EXPECT_TRUE(JoinByToken(node_->Token()).ok());
  }
  tls::Files Certificate(test::KeyKind kind) {
    const test::Authority authority(directory_.path(), "any");
    return authority.Issue("any", {.kind = kind, .self_signed = true});
  }

  v1::JoinRequest Admission() { return stranger_.Proof(node_->Token(), node_->Fingerprint()); }

  Stranger stranger_{node_->address()};
};

TEST_F(Hostile, ConnectionWithoutAKeyIsRefused) {
  EXPECT_EQ(test::ProbeTls(node_->port(), test::TlsVersion::k13, nullptr), "refused");
}

TEST_F(Hostile, ConnectionWithAnyEcdsaKeyIsHeard) {
  const tls::Files files = Certificate(test::KeyKind::kEcdsa);
  EXPECT_EQ(test::ProbeTls(node_->port(), test::TlsVersion::k13, &files), "TLSv1.3");
}

TEST_F(Hostile, ConnectionWithAnRsaKeyIsRefused) {
  const tls::Files files = Certificate(test::KeyKind::kRsa);
  EXPECT_EQ(test::ProbeTls(node_->port(), test::TlsVersion::k13, &files), "refused");
}

TEST_F(Hostile, ConnectionWithTls12IsRefused) {
  for (test::KeyKind kind : {test::KeyKind::kEcdsa, test::KeyKind::kRsa}) {
    const tls::Files files = Certificate(kind);
    EXPECT_EQ(test::ProbeTls(node_->port(), test::TlsVersion::k12, &files), "refused");
  }
}

TEST_F(Hostile, StreamThatDoesNotBeginWithAnAdmissionIsEnded) {
  const grpc::Status status = stranger_.Say({AskAbout("10.0.0.1")});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("the first message must be an admission"));
  EXPECT_EQ(node_->handler().begun(), 0);
}

TEST_F(Hostile, SecondAdmissionEndsTheJoin) {
  const v1::JoinRequest admission = Admission();
  const grpc::Status status = stranger_.Say({admission, admission});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(node_->handler().WaitForEnd(1));
}

TEST_F(Hostile, AdmissionThatProvesNothingIsRefused) {
  v1::JoinRequest request;
  request.mutable_admission();
  EXPECT_EQ(stranger_.Say({request}).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  request.mutable_admission()->set_token_proof("");
  EXPECT_EQ(stranger_.Say({request}).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(node_->handler().begun(), 0);
}

TEST_F(Hostile, EmptyMessageAfterTheAdmissionEndsTheJoin) {
  const grpc::Status status = stranger_.Say({Admission(), v1::JoinRequest()});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(node_->handler().WaitForEnd(1));
}

TEST_F(Hostile, OversizedMessageEndsTheStream) {
  v1::JoinRequest request;
  request.mutable_admission()->set_token_proof(std::string(200 << 10, 'x'));
  EXPECT_EQ(stranger_.Say({request}).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  request.mutable_admission()->set_token_proof(std::string(300 << 10, 'x'));
  EXPECT_EQ(stranger_.Say({request}).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(node_->handler().begun(), 0);
}

TEST_F(Hostile, GarbageEndsTheStream) {
  grpc::GenericStub stub(stranger_.channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto wait = [&] {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return ok;
  };
  auto call = stub.PrepareCall(&context, "/zcluster.v1.BootstrapService/Join", &queue);
  call->StartCall(nullptr);
  ASSERT_TRUE(wait());
  const grpc::Slice garbage(std::string("\x0a\xff\xff\xff\xff rubbish"));
  call->Write(grpc::ByteBuffer(&garbage, 1), nullptr);
  ASSERT_TRUE(wait());
  grpc::Status status;
  call->Finish(&status, nullptr);
  ASSERT_TRUE(wait());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("an unreadable message"));
}

TEST_F(Hostile, SilenceEndsTheStream) {
  grpc::ClientContext context;
  auto stream = stranger_.stub().Join(&context);
  v1::JoinReply reply;
  EXPECT_FALSE(stream->Read(&reply));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("not let in within 10s"));
}

TEST_F(Hostile, CrowdIsBoundedAndThoseTooManyAreTold) {
  constexpr int kCrowd = 24;
  std::vector<std::unique_ptr<Stranger>> strangers;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReaderWriter<v1::JoinRequest, v1::JoinReply>>> streams;
  for (int i = 0; i < kCrowd; ++i) {
    strangers.push_back(std::make_unique<Stranger>(node_->address()));
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(strangers.back()->stub().Join(contexts.back().get()));
  }
  // Nobody speaks: 16 are heard until their time is over, the others leave at once.
  int refused = 0;
  int silent = 0;
  for (auto& stream : streams) {
    v1::JoinReply reply;
    EXPECT_FALSE(stream->Read(&reply));
    const grpc::Status status = stream->Finish();
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) ++silent;
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      EXPECT_THAT(status.error_message(), HasSubstr("too many callers at once"));
      ++refused;
    }
  }
  EXPECT_EQ(silent, 16);
  EXPECT_EQ(refused, kCrowd - 16);
}

TEST_F(Hostile, CallerThatDisappearsInTheMiddleEndsTheJoinOnce) {
  node_->handler().Owe();
  {
    grpc::ClientContext context;
    auto stream = stranger_.stub().Join(&context);
    v1::JoinReply reply;
    ASSERT_TRUE(stream->Write(Admission()));
    ASSERT_TRUE(stream->Read(&reply));
    ASSERT_TRUE(stream->Write(AskAbout("10.0.0.1")));
    ASSERT_TRUE(node_->handler().WaitForMessage(1));
    context.TryCancel();
    stream->Finish();
  }
  ASSERT_TRUE(node_->handler().WaitForEnd(1));
  // The reply comes too late, and to nobody.
  node_->Do([&](Bootstrap&) { node_->handler().Pay(v1::JoinReply()); });
  EXPECT_EQ(node_->handler().ended(), 1);
  node_->handler().AnswerWith(v1::JoinReply());
}

TEST_F(Hostile, CallerFindsNeitherHealthNorReflection) {
  grpc::EnableDefaultHealthCheckService(true);
  node_->Restart();
  grpc::EnableDefaultHealthCheckService(false);
  Stranger again(node_->address());
  for (const char* method : {"/grpc.health.v1.Health/Check",
                             "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
    grpc::GenericStub stub(again.channel());
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice nothing;
    auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&nothing, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
  }
}

}  // namespace
}  // namespace zcluster::bootstrap
