// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/push_stream.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "tests/agent/configsync/scratch.h"

namespace zcluster::configsync {
namespace {

// Answers each request at once, and says when it is about to.
class Answering final : public v1::ConfigSyncService::Service {
 public:
  grpc::Status Sync(grpc::ServerContext* /*context*/,
                    grpc::ServerReaderWriter<v1::SyncReply, v1::SyncRequest>* stream) override {
    v1::SyncRequest request;
    while (stream->Read(&request)) {
      asked_->Notify();
      stream->Write(v1::SyncReply());
    }
    return grpc::Status::OK;
  }
  // Between calls.
  void Expect(absl::Notification& asked) { asked_ = &asked; }

 private:
  absl::Notification* asked_ = nullptr;
};

TEST(PushStream, IsReleasedAlsoWhenAnAnswerComesAsItIsCancelled) {
  const Scratch scratch;
  const std::string address = absl::StrCat("unix:", scratch / "peer.sock");
  Answering service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = v1::ConfigSyncService::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  Loop work;  // never runs: nobody reads on
  for (int i = 0; i < 500; ++i) {
    absl::Notification asked;
    service.Expect(asked);
    auto stream = PushStream::Open(*stub, work, {});
    stream->Write(v1::SyncRequest());
    asked.WaitForNotification();
    stream->Cancel();
    stream->AwaitReleased();
  }
  server->Shutdown();
}

}  // namespace
}  // namespace zcluster::configsync
