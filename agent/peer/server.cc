// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/server.h"

#include <grpcpp/grpcpp.h>
#include <netdb.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/peer/limits.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::peer {
namespace {

// gRPC does not say why it could not listen: tries again by hand, for the reason only.
absl::Status WhyNot(const std::string& listen) {
  const std::string what = absl::StrCat("cannot listen on ", listen);
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ADDRESS:PORT expected"));
  }
  const std::string host = absl::StrReplaceAll(listen.substr(0, colon), {{"[", ""}, {"]", ""}});
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), listen.c_str() + colon + 1, &hints, &found);
      error != 0) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", ::gai_strerror(error)));
  }
  const UniqueFd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const bool ok =
      ::bind(fd.get(), found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd.get(), 1) == 0;
  const int error = errno;
  ::freeaddrinfo(found);
  return ok ? absl::UnavailableError(what) : ErrnoStatus(what, error);
}

}  // namespace

absl::StatusOr<std::unique_ptr<grpc::Server>> StartServer(
    const std::string& listen, std::shared_ptr<grpc::ServerCredentials> credentials,
    std::vector<grpc::Service*> services, int* port) {
  grpc::ServerBuilder builder;
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
  if (server == nullptr || bound == 0) return WhyNot(listen);
  if (port != nullptr) *port = bound;
  return server;
}

}  // namespace zcluster::peer
