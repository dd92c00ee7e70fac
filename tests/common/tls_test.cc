// SPDX-License-Identifier: Apache-2.0
#include "common/tls.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/file.h"
#include "common/pki.h"
#include "tests/support/certificates.h"
#include "tests/support/tls_probe.h"

namespace zcluster::tls {
namespace {

using test::Authority;
using test::CertificateOptions;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kServer[] = "zcluster://lab/node/a";
constexpr char kClient[] = "zcluster://lab/node/b";

// Before the first use of gRPC, as main() does it.
const bool kOnlyTls13 = [] {
  RequireTls13();
  return true;
}();

// What OnRefused was told.
class Reasons {
 public:
  OnRefused Listener() {
    return [this](const std::string& reason) {
      absl::MutexLock lock(&mutex_);
      last_ = reason;
    };
  }
  // Waits until something was told; empty after a deadline.
  std::string Wait() {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(
                                +[](std::string* last) { return !last->empty(); }, &last_),
                            absl::Seconds(10));
    return last_;
  }
  std::string Now() {
    absl::MutexLock lock(&mutex_);
    return last_;
  }

 private:
  absl::Mutex mutex_;
  std::string last_;
};

class TlsTest : public testing::Test {
 protected:
  Files Ours(const std::string& name, const std::string& uri) {
    return authority_.Issue(name, {.uri = uri});
  }

  void Serve(const Files& files, const Expected& client = {kClient}) {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.RegisterCallbackGenericService(&service_);
    builder.AddListeningPort("127.0.0.1:0",
                             ServerCredentials(files, client, server_reasons_.Listener()), &port_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }

  // True if a call reaches the server: it answers that it knows no such method.
  bool Reaches(const Files& files) {
    const auto credentials = ClientCredentials(files, {kServer}, client_reasons_.Listener());
    grpc::ChannelArguments alone;  // channels of equal arguments would share a connection
    alone.SetInt("zcluster.test.channel", ++channels_);
    grpc::GenericStub stub(
        grpc::CreateCustomChannel(absl::StrCat("ipv4:127.0.0.1:", port_), credentials, alone));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    grpc::ByteBuffer request, response;
    grpc::CompletionQueue queue;
    auto call = stub.PrepareUnaryCall(&context, "/zcluster.Test/Call", request, &queue);
    call->StartCall();
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag;
    bool ok;
    queue.Next(&tag, &ok);
    EXPECT_THAT(status.error_code(),
                AnyOf(grpc::StatusCode::UNIMPLEMENTED, grpc::StatusCode::UNAVAILABLE))
        << status.error_message();
    return status.error_code() == grpc::StatusCode::UNIMPLEMENTED;
  }

  void TearDown() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }

  test::TempDirectory directory_;
  Authority authority_{directory_.path(), "lab"};
  Reasons server_reasons_;
  Reasons client_reasons_;
  grpc::CallbackGenericService service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  int channels_ = 0;
};

TEST_F(TlsTest, TwoNodesOfThePairMeet) {
  Serve(Ours("a", kServer));
  EXPECT_TRUE(Reaches(Ours("b", kClient))) << server_reasons_.Now() << client_reasons_.Now();
  EXPECT_THAT(server_reasons_.Now(), IsEmpty());
  EXPECT_THAT(client_reasons_.Now(), IsEmpty());
}

TEST_F(TlsTest, TheNodesSpeakTls13) {
  Serve(Ours("a", kServer));
  const Files files = Ours("b", kClient);
  EXPECT_EQ(test::ProbeTls(port_, test::TlsVersion::k13, &files), "TLSv1.3");
}

TEST_F(TlsTest, Tls12IsRefusedThoughTheCertificateIsGood) {
  Serve(Ours("a", kServer));
  const Files files = Ours("b", kClient);
  EXPECT_EQ(test::ProbeTls(port_, test::TlsVersion::k12, &files), "refused");
}

TEST_F(TlsTest, AStrangerWithoutACertificateIsRefused) {
  Serve(Ours("a", kServer));
  EXPECT_EQ(test::ProbeTls(port_, test::TlsVersion::k13, nullptr), "refused");
}

// A client that must be refused, and what the server says of it.
struct Stranger {
  std::string name;
  CertificateOptions options;
  std::string reason;
};

class RefusesClient : public TlsTest, public testing::WithParamInterface<Stranger> {};

TEST_P(RefusesClient, AndSaysWhy) {
  Serve(Ours("a", kServer));
  const Files files = authority_.Issue("stranger", GetParam().options);
  EXPECT_EQ(test::ProbeTls(port_, test::TlsVersion::k13, &files), "refused");
  EXPECT_THAT(server_reasons_.Wait(), HasSubstr(GetParam().reason));
  EXPECT_FALSE(Reaches(files));
}

const Stranger kStrangers[] = {
    {"Expired", {.uri = kClient, .valid_to = -absl::Minutes(1)}, "certificate expired on 20"},
    {"NotYetValid", {.uri = kClient, .valid_from = absl::Minutes(30)}, "is not valid before 20"},
    {"SelfSigned", {.uri = kClient, .self_signed = true}, "is self-signed"},
    {"AnotherName",
     {.uri = "zcluster://lab/node/c"},
     "is for zcluster://lab/node/c, expected zcluster://lab/node/b"},
    {"TheServersOwnName", {.uri = kServer}, "is for zcluster://lab/node/a"},
    {"NameWithMore", {.uri = "zcluster://lab/node/bb"}, "is for zcluster://lab/node/bb"},
    {"NoName", {}, "names nobody"},
    {"TwoNames", {.uri = kClient, .second_uri = kServer}, "has 2 names"},
    {"ServerOnly", {.uri = kClient, .extended_key_usage = "serverAuth"}, "not made for this use"},
    {"RsaKey", {.uri = kClient, .kind = test::KeyKind::kRsa}, "use ECDSA"},
};

INSTANTIATE_TEST_SUITE_P(TlsTest, RefusesClient, testing::ValuesIn(kStrangers),
                         [](const auto& stranger) { return stranger.param.name; });

class RefusesServer : public TlsTest, public testing::WithParamInterface<Stranger> {};

TEST_P(RefusesServer, AndSaysWhy) {
  Serve(authority_.Issue("a", GetParam().options));
  EXPECT_FALSE(Reaches(Ours("b", kClient)));
  EXPECT_THAT(client_reasons_.Wait(), HasSubstr(GetParam().reason));
}

const Stranger kImpostors[] = {
    {"Expired", {.uri = kServer, .valid_to = -absl::Minutes(1)}, "certificate expired on 20"},
    {"SelfSigned", {.uri = kServer, .self_signed = true}, "is self-signed"},
    {"AnotherName", {.uri = kClient}, "is for zcluster://lab/node/b, expected"},
    {"NoName", {}, "names nobody"},
    {"ClientOnly", {.uri = kServer, .extended_key_usage = "clientAuth"}, "not made for this use"},
};

INSTANTIATE_TEST_SUITE_P(TlsTest, RefusesServer, testing::ValuesIn(kImpostors),
                         [](const auto& stranger) { return stranger.param.name; });

TEST_F(TlsTest, AnotherPairsNodeIsRefusedByBothSides) {
  Serve(Ours("a", kServer));
  const Authority other(directory_.path(), "other");
  EXPECT_FALSE(Reaches(other.Issue("b", {.uri = kClient})));
  EXPECT_THAT(client_reasons_.Wait(), HasSubstr("is not signed by the pair's CA"));
  // And with a client that would believe us.
  const Files files = other.Issue("b", {.uri = kClient});
  EXPECT_EQ(test::ProbeTls(port_, test::TlsVersion::k13, &files), "refused");
  EXPECT_THAT(server_reasons_.Wait(), HasSubstr("is not signed by the pair's CA"));
}

TEST_F(TlsTest, WhoeverIsAcceptedGetsThroughByNameAndKey) {
  const Files files = Ours("anna", OperatorUri("lab", "anna"));
  const std::string key = *pki::CertificateFingerprint(*ReadFile(files.certificate));
  Expected expected;
  expected.accept = [key](const Identity& who) {
    return who.uri == "zcluster://lab/operator/anna" && who.key == key
               ? absl::OkStatus()
               : absl::UnauthenticatedError("not on the list");
  };
  expected.whom = "an operator";
  expected.called = "the caller's certificate";
  Serve(Ours("a", kServer), expected);
  EXPECT_TRUE(Reaches(files)) << server_reasons_.Now();
  EXPECT_FALSE(Reaches(Ours("anna2", OperatorUri("lab", "anna")))) << "the name with another key";
  EXPECT_THAT(server_reasons_.Now(), HasSubstr("not on the list"));
  EXPECT_FALSE(Reaches(authority_.Issue("nobody", {})));
  EXPECT_THAT(server_reasons_.Now(), HasSubstr("the caller's certificate names nobody"));
  const Authority other(directory_.path(), "other");
  EXPECT_FALSE(Reaches(other.Issue("anna3", {.uri = OperatorUri("lab", "anna")})));
}

TEST_F(TlsTest, WithoutTheCaNobodyGetsThrough) {
  Serve(Ours("a", kServer));
  const Files client = Ours("b", kClient);
  std::filesystem::remove(client.ca);
  EXPECT_EQ(test::ProbeTls(port_, test::TlsVersion::k13, &client), "refused");
  EXPECT_THAT(server_reasons_.Wait(), HasSubstr("the pair's CA cannot be read"));
}

TEST_F(TlsTest, RenewedFilesServeNewConnections) {
  Serve(Ours("a", kServer));
  const Files client = Ours("b", kClient);
  ASSERT_TRUE(Reaches(client));
  authority_.Issue("a", {.uri = kServer, .valid_to = -absl::Minutes(1)});
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (Reaches(client) && absl::Now() < deadline) {
  }
  EXPECT_THAT(client_reasons_.Now(), HasSubstr("certificate expired"));
  Ours("a", kServer);
  bool again = false;
  while (!(again = Reaches(client)) && absl::Now() < deadline) {
  }
  EXPECT_TRUE(again);
}

TEST_F(TlsTest, OwnFilesAreGood) {
  EXPECT_EQ(CheckOwnFiles(Ours("a", kServer), kServer), absl::OkStatus());
}

TEST_F(TlsTest, OwnFilesAreFoundBad) {
  Files files = authority_.Issue("old", {.uri = kServer, .valid_to = -absl::Minutes(1)});
  EXPECT_THAT(CheckOwnFiles(files, kServer).message(), HasSubstr("old.crt expired on 20"));
  EXPECT_THAT(CheckOwnFiles(Ours("c", kClient), kServer).message(),
              HasSubstr("c.crt is for zcluster://lab/node/b, expected zcluster://lab/node/a"));
  files = Ours("a", kServer);
  files.key = Ours("b", kClient).key;
  EXPECT_THAT(CheckOwnFiles(files, kServer).message(),
              HasSubstr("b.key: does not belong to the certificate"));
  files = Ours("a", kServer);
  std::filesystem::remove(files.key);
  EXPECT_THAT(CheckOwnFiles(files, kServer).message(), HasSubstr("a.key"));
  files = Ours("a", kServer);
  ASSERT_TRUE(WriteFileAtomically(files.ca, "not PEM", 0644).ok());
  EXPECT_THAT(CheckOwnFiles(files, kServer).message(), HasSubstr("CA holds no certificate"));
}

}  // namespace
}  // namespace zcluster::tls
