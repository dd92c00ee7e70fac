// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/server.h"

#include <grpcpp/grpcpp.h>

#include "agent/peer/limits.h"
#include "common/listen.h"
#include "common/standard_services.h"

namespace zcluster::peer {

absl::StatusOr<std::unique_ptr<grpc::Server>> StartServer(
    const std::string& listen, std::shared_ptr<grpc::ServerCredentials> credentials,
    std::vector<grpc::Service*> services, int* port) {
  grpc::ServerBuilder builder;
  AddStandardServices(builder);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A ping may come early by the wire's jitter.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kKeepaliveMs / 4);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  for (grpc::Service* service : services) builder.RegisterService(service);
  int bound = 0;
  builder.AddListeningPort(listen, std::move(credentials), &bound);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || bound == 0) return WhyNotListening(listen);
  if (port != nullptr) *port = bound;
  return server;
}

}  // namespace zcluster::peer
