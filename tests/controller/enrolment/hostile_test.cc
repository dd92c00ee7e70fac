// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "controller/enrolment/calls.h"
#include "controller/enrolment/enrolment.h"
#include "tests/controller/enrolment/office.h"
#include "tests/support/certificates.h"
#include "tests/support/tls_probe.h"

// Whoever is no node that wants in.
namespace zcluster::controller {
namespace {

using ::testing::HasSubstr;

TEST(HostileEnrolment, SpeaksOnlyTls13WithWhoeverShowsAKey) {
  Office office;
  const test::TempDirectory directory;
  const test::Authority authority(directory.path(), "any");
  const tls::Files ecdsa = authority.Issue("ecdsa", {});
  const tls::Files rsa = authority.Issue("rsa", {.kind = test::KeyKind::kRsa});
  EXPECT_EQ(test::ProbeTls(office.port(), test::TlsVersion::k13, nullptr), "refused");
  EXPECT_EQ(test::ProbeTls(office.port(), test::TlsVersion::k13, &rsa), "refused");
  EXPECT_EQ(test::ProbeTls(office.port(), test::TlsVersion::k12, &ecdsa), "refused");
  EXPECT_EQ(test::ProbeTls(office.port(), test::TlsVersion::k13, &ecdsa), "TLSv1.3");
}

TEST(HostileEnrolment, RefusesLargeMessages) {
  Office office;
  TestNode node(office.port());
  v1::EnrolRequest request = node.Ask(office.Token(), TestPair("web-1"), "lb1");
  request.set_version(std::string(100 << 10, 'x'));
  EXPECT_EQ(node.Say(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST(HostileEnrolment, ChecksShapesBeforeItLooksAtTheToken) {
  Office office;
  TestNode node(office.port());
  v1::EnrolRequest request = node.Ask(office.Token(), TestPair("web-1"), "lb1");
  request.set_node("../lb1");
  for (int i = 0; i < 20; ++i) {  // more than the wrong tokens that one may try
    EXPECT_EQ(node.Say(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
}

TEST(HostileEnrolment, AuditsTheHolderOfATokenThatLies) {
  Office office;
  TestNode node(office.port());
  v1::EnrolRequest request = node.Ask(office.Token(), TestPair("web-1"), "lb1");
  request.set_pair_ca(TestPair("web-1").ca);
  EXPECT_EQ(node.Say(request).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  ASSERT_EQ(office.audit().Lines().size(), 1u);
  EXPECT_THAT(office.audit().Lines()[0], HasSubstr("node=lb1"));
  EXPECT_THAT(office.audit().Lines()[0], HasSubstr("PERMISSION_DENIED: the node does not prove"));
}

TEST(HostileEnrolment, ServesNothingElse) {
  Office office;
  for (const char* method : {"/grpc.health.v1.Health/Check",
                             "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                             "/zcluster.v1.FleetLinkService/Connect"}) {
    TestNode node(office.port());
    grpc::GenericStub stub(node.channel());
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    grpc::ByteBuffer answer;
    grpc::Status status;
    const auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(), &queue);
    call->StartCall();
    call->Finish(&answer, &status, &queue);
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
  }
}

// A place is taken until whoever decides is done, even if the caller does not wait for it.
TEST(HostileEnrolment, HasPlacesForSoMany) {
  Office office;
  const TestPair pair("web-1");
  office.Do([](Enrolment&, TestBooks& books) { books.owes = true; });
  std::vector<std::unique_ptr<TestNode>> nodes;
  std::vector<std::thread> waiting;
  for (int i = 0; i < EnrolGate::kMostCalls; ++i) {
    nodes.push_back(std::make_unique<TestNode>(office.port()));
    const v1::EnrolRequest request = nodes.back()->Ask(office.Token(), pair, absl::StrCat("lb", i));
    waiting.emplace_back([node = nodes.back().get(), request] { (void)node->Say(request); });
  }
  ASSERT_TRUE(office.Waits(
      [](TestBooks& books) { return books.owed.size() == size_t{EnrolGate::kMostCalls}; }));
  TestNode late(office.port());
  const std::string token = office.Token();
  const grpc::Status said = late.Enrol(token, pair, "late");
  EXPECT_EQ(said.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(said.error_message(), HasSubstr("too many nodes enrol at once"));
  office.Do([](Enrolment&, TestBooks& books) {
    books.owes = false;
    for (const auto& answer : std::exchange(books.owed, {})) answer();
  });
  for (std::thread& thread : waiting) thread.join();
  EXPECT_TRUE(late.Enrol(token, pair, "late").ok());
}

}  // namespace
}  // namespace zcluster::controller
