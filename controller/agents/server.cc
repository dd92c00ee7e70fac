// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/server.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/listen.h"
#include "common/standard_services.h"
#include "controller/agents/agent_uri.h"
#include "controller/agents/message_check.h"
#include "controller/agents/stream.h"
#include "zcluster/v1/fleet_link.grpc.pb.h"

namespace zcluster::controller {
namespace {

// An agent has one; a second may begin before the first is known to have ended.
constexpr int kStreamsOfAConnection = 4;
constexpr int kMaxHeaderBytes = 4 << 10;
constexpr int kHandshakeMs = 10'000;
// A connection on which no stream is open: an agent that comes opens one at once.
constexpr int kIdleMs = 60'000;
// An agent that went away without a word (its wire was cut) is noticed within so long, twice.
constexpr int kKeepaliveMs = 60'000;
// Agents ping each 30 s. One that does so more often than this wastes our time, and is cut off.
constexpr int kPingMs = 5'000;

// Of a TLS record that we send: gRPC keeps a buffer of it for each connection, 16 KiB if not told.
constexpr int kFrameBytes = 4 << 10;

class LinkService final
    : public v1::FleetLinkService::WithRawCallbackMethod_Connect<v1::FleetLinkService::Service> {
 public:
  explicit LinkService(std::shared_ptr<StreamGate> gate) : gate_(std::move(gate)) {}
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Connect(
      grpc::CallbackServerContext* context) override {
    return AgentStream::Make(gate_, *context);
  }

 private:
  const std::shared_ptr<StreamGate> gate_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeLinkService(std::shared_ptr<StreamGate> gate) {
  return std::make_unique<LinkService>(std::move(gate));
}

absl::StatusOr<std::unique_ptr<grpc::Server>> StartLinkServer(grpc::Service& service,
                                                              const LinkPort& port, int& bound) {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsOfAConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxHeaderBytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // each report would be pinged for
  builder.AddChannelArgument(GRPC_ARG_TSI_MAX_FRAME_SIZE, kFrameBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingMs);
  builder.SetMaxReceiveMessageSize(static_cast<int>(kMaxMessageBytes));
  builder.SetMaxSendMessageSize(static_cast<int>(kMaxMessageBytes));
  NoStandardServices(builder);
  builder.RegisterService(&service);
  const std::string fleet = port.fleet;
  builder.AddListeningPort(
      port.listen,
      tls::ServerCredentials(
          port.files,
          {.accept =
               [fleet](const tls::Identity& who) { return ParseAgentUri(fleet, who.uri).status(); },
           .whom = absl::StrCat("an agent of the fleet ", fleet),
           .called = "the agent's certificate"},
          port.refused),
      &bound);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || bound == 0) return WhyNotListening(port.listen);
  return server;
}

}  // namespace zcluster::controller
