// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/channel.h"

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "agent/controller_link/limits.h"
#include "common/grpc_address.h"
#include "common/grpc_reason.h"
#include "common/strings.h"

namespace zcluster::controller_link {
namespace {

// A ping after so long without a word, and so long for its answer: a dead wire is noticed within
// 40 s. The controller allows it (FleetLinkService's server).
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveAnswerMs = 10'000;
// What gRPC may hold of a stream that we do not read: one message.
constexpr int kLookahead = static_cast<int>(kMaxMessageBytes);
// Of what a controller says of itself, in a sentence of ours.
constexpr size_t kMaxWords = 1024;

std::string WordsOf(const grpc::Status& status) {
  std::string words = Printable(status.error_message());
  if (words.size() > kMaxWords) words.resize(kMaxWords);
  return words.empty() ? "no reason given" : words;
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveAnswerMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookahead);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // it would widen the window while we do not read
  // Despite its name the time that an address gets to connect.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(kConnectTime)));
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // it would keep what was sent, to send it again
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxMessageBytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(kMaxMessageBytes));
  arguments.SetLoadBalancingPolicyName("pick_first");
  return grpc::CreateCustomChannel(TargetOf({address}), credentials, arguments);
}

Ended WhyEnded(const grpc::Status& status, const std::string& address) {
  if (status.ok()) {
    return {absl::UnavailableError(absl::StrCat(address, ": the controller ended the stream")),
            true};
  }
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) {
    return {absl::Status(static_cast<absl::StatusCode>(status.error_code()), WordsOf(status)),
            true};
  }
  const CallReason reason = ReasonOf(status, address);
  switch (reason.trouble) {
    case CallTrouble::kVerdict:
      return {absl::UnauthenticatedError(absl::StrCat(address, ": ", Printable(reason.text)))};
    case CallTrouble::kRefused:
      return {absl::UnavailableError(
          absl::StrCat("connection refused by ", address, " (does zcontroller run there?)"))};
    case CallTrouble::kNoRoute:
      return {absl::UnavailableError(absl::StrCat("no route to ", address))};
    case CallTrouble::kNoAnswer:
      return {absl::UnavailableError(absl::StrCat(
          "no answer from ", address, " (is it up, and does a firewall let the port pass?)"))};
    case CallTrouble::kNoHandshake:
      return {absl::UnavailableError(
          absl::StrCat(address, " does not speak TLS 1.3 with us (is it zcontroller's port?)"))};
    case CallTrouble::kClosed:
      return {absl::UnavailableError(absl::StrCat(
          address, " closed the connection (zcontroller stopped, or does not know this node)"))};
    case CallTrouble::kSaid:
      break;
  }
  return {absl::UnavailableError(absl::StrCat(address, ": ", WordsOf(status))), true};
}

}  // namespace zcluster::controller_link
