// SPDX-License-Identifier: Apache-2.0
// Renewal under live TLS: what runs lives on, what is new uses the new identity.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/grpc_life.h"
#include "common/tls.h"
#include "tests/agent/identity/node.h"

namespace zcluster::identity {
namespace {

// Before the first use of gRPC, as main() does it.
const bool kOnlyTls13 = [] {
  tls::RequireTls13();
  KeepGrpc();
  return true;
}();

std::string PeerOf(const grpc::AuthContext& context) {
  const auto certificates = context.FindPropertyValues("x509_pem_cert");
  if (certificates.size() != 1) return "nobody";
  return *pki::CertificateFingerprint({certificates[0].data(), certificates[0].size()});
}

// Answers each message with the fingerprint of the client's certificate.
class WhoAreYou : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* call) override {
    return new Answers(PeerOf(*call->auth_context()));
  }

 private:
  class Answers : public grpc::ServerGenericBidiReactor {
   public:
    explicit Answers(const std::string& peer) {
      const grpc::Slice slice(peer);
      answer_ = grpc::ByteBuffer(&slice, 1);
      StartRead(&asked_);
    }
    void OnReadDone(bool ok) override { ok ? StartWrite(&answer_) : Finish(grpc::Status::OK); }
    void OnWriteDone(bool) override { StartRead(&asked_); }
    void OnDone() override { delete this; }

   private:
    grpc::ByteBuffer asked_;
    grpc::ByteBuffer answer_;
  };
};

// A stream on a connection of its own.
class Stream {
 public:
  Stream(int port, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    static std::atomic<int> channels{0};
    grpc::ChannelArguments alone;  // channels of equal arguments would share a connection
    alone.SetInt("zcluster.test.channel", ++channels);
    stub_ = std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(absl::StrCat("ipv4:127.0.0.1:", port), credentials, alone));
    call_ = stub_->PrepareCall(&context_, "/zcluster.Test/WhoAreYou", &queue_);
    call_->StartCall(nullptr);
    Done();
  }
  ~Stream() {
    context_.TryCancel();
    grpc::Status status;
    call_->Finish(&status, nullptr);
    Done();
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  // Whom the server takes us for; empty if the stream is broken.
  std::string Ask() {
    const grpc::Slice slice("?");
    grpc::ByteBuffer answer;
    call_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    if (!Done()) return "";
    call_->Read(&answer, nullptr);
    if (!Done()) return "";
    grpc::Slice text;
    if (!answer.DumpToSingleSlice(&text).ok()) return "";
    return std::string(reinterpret_cast<const char*>(text.begin()), text.size());
  }
  // Whom we take the server for. After an answer.
  std::string Server() const { return PeerOf(*context_.auth_context()); }

 private:
  bool Done() {
    void* tag;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

class StreamTest : public testing::Test {
 protected:
  void Serve() {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.RegisterCallbackGenericService(&service_);
    builder.AddListeningPort("127.0.0.1:0", tls::ServerCredentials(a_.files(), {b_.uri}, nullptr),
                             &port_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    credentials_ = tls::ClientCredentials(b_.files(), {a_.uri}, nullptr);
  }
  void TearDown() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }
  // The fingerprint of a node's present certificate.
  static std::string Now(const Node& node) {
    return *pki::CertificateFingerprint(Load(node.directory)->certificate);
  }
  // Whether the key is in any file of the node.
  static bool OnDisk(const Node& node, const std::string& key) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(node.directory)) {
      if (!entry.is_regular_file()) continue;
      const absl::StatusOr<std::string> content = ReadFile(entry.path().string());
      if (content.ok() && absl::StrContains(*content, key)) return true;
    }
    return false;
  }

  PairCa ca_;
  Node a_{"a"};  // serves
  Node b_{"b"};  // calls
  WhoAreYou service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
  int port_ = 0;
};

TEST_F(StreamTest, LivesOnAcrossRenewalsAndNewConnectionsUseTheNewIdentities) {
  constexpr absl::Duration kLifetime = absl::Seconds(6);
  const Identity first_a = a_.Make(ca_, kLifetime);
  const Identity first_b = b_.Make(ca_, kLifetime);
  a_.Install(first_a);
  b_.Install(first_b);
  const std::string old_a = Now(a_);
  const std::string old_b = Now(b_);
  Serve();
  Stream stream(port_, credentials_);
  ASSERT_EQ(stream.Ask(), old_b);
  EXPECT_EQ(stream.Server(), old_a);
  a_.StartRenewal(kLifetime);
  b_.StartRenewal(kLifetime);

  ASSERT_TRUE(WaitUntil([&] { return a_.version() >= 3 && b_.version() >= 3; }));
  // The same connection, still under the identities with which it began: they are over now, and
  // their keys are gone.
  EXPECT_EQ(stream.Ask(), old_b);
  EXPECT_FALSE(OnDisk(a_, first_a.key));
  EXPECT_FALSE(OnDisk(b_, first_b.key));

  // The watchers look once a second.
  std::string client, server;
  EXPECT_TRUE(WaitUntil([&] {
    Stream fresh(port_, credentials_);
    client = fresh.Ask();
    server = client.empty() ? "" : fresh.Server();
    return !client.empty() && client != old_b && server != old_a;
  })) << "client "
      << client << " server " << server;
  EXPECT_EQ(stream.Ask(), old_b);
  EXPECT_TRUE(a_.problems.All().empty());
  EXPECT_TRUE(b_.problems.All().empty());
}

TEST_F(StreamTest, ARenewedCaLetsOldAndNewIn) {
  a_.Install(a_.Make(ca_, absl::Hours(1)));
  b_.Install(b_.Make(ca_, absl::Hours(1)));
  Serve();
  Stream stream(port_, credentials_);
  ASSERT_EQ(stream.Ask(), Now(b_));
  // On one node only, as it happens: each renews its own copy.
  Identity renewed = *Load(a_.directory);
  renewed.ca = *pki::RenewCa(ca_.key, ca_.certificate);
  a_.Install(renewed);
  EXPECT_EQ(Stream(port_, credentials_).Ask(), Now(b_));
  EXPECT_EQ(stream.Ask(), Now(b_));
}

// The watcher reads key and certificate one after the other, so that a swap may come between.
TEST_F(StreamTest, ASwapBetweenTwoReadsBreaksNothingForGood) {
  b_.Install(b_.Make(ca_, absl::Hours(1)));
  a_.Install(a_.Make(ca_, absl::Hours(1)));
  a_.Install(a_.Make(ca_, absl::Hours(1)));
  Serve();
  Stream stream(port_, credentials_);
  ASSERT_EQ(stream.Ask(), Now(b_));
  // Some three looks of the watcher under as many swaps as the machine can do.
  const std::string link = a_.directory + "/current";
  const std::string next = a_.directory + "/next";
  const absl::Time end = absl::Now() + absl::Milliseconds(3500);
  for (int swaps = 0; absl::Now() < end; ++swaps) {
    ASSERT_EQ(::symlink(swaps % 2 == 0 ? "v1" : "v2", next.c_str()), 0);
    ASSERT_EQ(::rename(next.c_str(), link.c_str()), 0);
  }
  EXPECT_EQ(stream.Ask(), Now(b_));
  const std::string settled = Now(a_);
  EXPECT_TRUE(WaitUntil([&] {
    Stream fresh(port_, credentials_);
    return fresh.Ask() == Now(b_) && fresh.Server() == settled;
  }));
}

}  // namespace
}  // namespace zcluster::identity
