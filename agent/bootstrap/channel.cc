// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/channel.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/bootstrap/limits.h"
#include "common/grpc_address.h"
#include "common/grpc_reason.h"

namespace zcluster::bootstrap {
namespace {

// For TCP and TLS together.
constexpr int kConnectMs = 5000;

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const Credential& own,
                                           Judge judge) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Despite its name the time that an address gets to connect.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  // A connection, and the judge's verdict on it, is this channel's alone.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // it would keep what was sent, to send it again
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetLoadBalancingPolicyName("pick_first");
  return grpc::CreateCustomChannel(TargetOf({address}),
                                   tls::KeyedClientCredentials(own, std::move(judge)), arguments);
}

absl::Status WhyEnded(const grpc::Status& status, const std::string& address) {
  // gRPC makes a channel of anything, and says so only when it is used.
  if (absl::StrContains(status.error_message(), "Failed to create secure client channel")) {
    return absl::InvalidArgumentError(
        absl::StrCat(address, " is no address; 10.0.0.2:7701 or [fd00::2]:7701 are"));
  }
  if (!status.ok() && status.error_code() != grpc::StatusCode::UNAVAILABLE) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  const CallReason reason = ReasonOf(status, address);
  switch (reason.trouble) {
    case CallTrouble::kVerdict:
      return absl::UnauthenticatedError(reason.text);
    case CallTrouble::kRefused:
      return absl::UnavailableError(absl::StrCat(
          "connection refused by ", reason.address,
          " (is zagent running there, and in no pair? a node in a pair takes no joins)"));
    case CallTrouble::kNoRoute:
      return absl::UnavailableError(absl::StrCat("no route to ", reason.address));
    case CallTrouble::kNoAnswer:
      return absl::UnavailableError(
          absl::StrCat("no answer from ", reason.address,
                       " (is the node up, and does a firewall let the port pass?)"));
    case CallTrouble::kNoHandshake:
      return absl::UnavailableError(
          absl::StrCat(reason.address, " does not speak TLS 1.3 with us (is it zagent's port?)"));
    case CallTrouble::kClosed:
      return absl::UnavailableError(absl::StrCat(
          reason.address, " closed the connection (did zagent stop there? its log says why)"));
    case CallTrouble::kSaid:
      break;
  }
  return absl::UnavailableError(reason.text.empty()
                                    ? absl::StrCat(address, " ended the join without a reason")
                                    : reason.text);
}

}  // namespace zcluster::bootstrap
