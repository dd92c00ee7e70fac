// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/resource_quota.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "agent/bootstrap/limits.h"
#include "common/listen.h"
#include "common/standard_services.h"

namespace zcluster::bootstrap {
namespace {

// An honest caller has one.
constexpr int kStreamsOfAConnection = 2;
constexpr int kMaxHeaderBytes = 4 << 10;
constexpr int kHandshakeMs = 5000;
// A connection on which nothing is asked.
constexpr int kIdleMs = 10'000;
// All that strangers can make gRPC hold.
constexpr size_t kMemory = 32 << 20;

class JoinServer final : public Server {
 public:
  explicit JoinServer(std::shared_ptr<OpenStreams> streams)
      : streams_(std::move(streams)), service_(MakeJoinService(streams_)) {}
  ~JoinServer() override {
    streams_->Shut();
    Close();
    closing_.join();
  }

  absl::Status Listen(const std::string& listen, const tls::Credential& credential);
  int port() const override { return port_; }
  void Close() override {
    // gRPC waits for the streams, so that must be another thread.
    if (closing_.joinable()) return;
    closing_ = std::thread([this] {
      if (server_ != nullptr) server_->Shutdown();
      ended_ = true;
    });
  }
  bool Ended() const override { return ended_; }

 private:
  const std::shared_ptr<OpenStreams> streams_;
  const std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::thread closing_;
  std::atomic<bool> ended_{false};
};

absl::Status JoinServer::Listen(const std::string& listen, const tls::Credential& credential) {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsOfAConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxHeaderBytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A ping may come early by the wire's jitter.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kKeepaliveMs / 4);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  grpc::ResourceQuota quota;
  builder.SetResourceQuota(quota.Resize(kMemory));
  NoStandardServices(builder);  // strangers get neither
  builder.RegisterService(service_.get());
  builder.AddListeningPort(listen, tls::KeyedServerCredentials(credential), &port_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0) return WhyNotListening(listen);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const std::string& listen,
                                                      const tls::Credential& credential,
                                                      std::shared_ptr<OpenStreams> streams) {
  auto server = std::make_unique<JoinServer>(std::move(streams));
  if (absl::Status status = server->Listen(listen, credential); !status.ok()) return status;
  return server;
}

}  // namespace zcluster::bootstrap
