// SPDX-License-Identifier: Apache-2.0
#include "common/grpc_reason.h"

#include <grpcpp/grpcpp.h>

#include <initializer_list>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace zcluster {
namespace {

// The address that gRPC tried last: it stands as "ipv4:10.0.0.2:7700" in its sentence.
std::string AddressIn(absl::string_view text, absl::string_view otherwise) {
  for (absl::string_view family : {"ipv4:", "ipv6:"}) {
    const size_t at = text.rfind(family);
    if (at == absl::string_view::npos) continue;
    absl::string_view address = text.substr(at + family.size());
    address = absl::StripSuffix(address.substr(0, address.find(' ')), ":");
    return absl::StrReplaceAll(address, {{"%5B", "["}, {"%5D", "]"}, {"::ffff:", ""}});
  }
  return std::string(otherwise);
}

bool SaysAny(absl::string_view text, std::initializer_list<absl::string_view> parts) {
  for (absl::string_view part : parts) {
    if (absl::StrContains(text, part)) return true;
  }
  return false;
}

CallTrouble TroubleIn(absl::string_view text) {
  if (SaysAny(text, {"Connection refused"})) return CallTrouble::kRefused;
  if (SaysAny(text, {"No route to host", "Network is unreachable", "Host is unreachable"})) {
    return CallTrouble::kNoRoute;
  }
  // The channel gave the address its time, and TCP had no answer.
  if (SaysAny(text, {"tcp handshaker shutdown", "keepalive watchdog timeout", "timed out"})) {
    return CallTrouble::kNoAnswer;
  }
  if (SaysAny(text, {"Handshake read failed", "Handshake failed"})) {
    return CallTrouble::kNoHandshake;
  }
  if (SaysAny(text, {"Socket closed", "Connection reset", "Broken pipe"})) {
    return CallTrouble::kClosed;
  }
  return CallTrouble::kSaid;
}

}  // namespace

CallReason ReasonOf(const grpc::Status& status, absl::string_view address) {
  const std::string message = status.error_message();
  const absl::string_view text = message;
  constexpr absl::string_view kVerdict = "Custom verification check failed with error: ";
  if (const size_t at = text.find(kVerdict); at != absl::string_view::npos) {
    const absl::string_view verdict =
        absl::StripPrefix(text.substr(at + kVerdict.size()), "UNAUTHENTICATED: ");
    return {CallTrouble::kVerdict, AddressIn(text.substr(0, at), address), std::string(verdict)};
  }
  return {TroubleIn(text), AddressIn(text, address), message};
}

}  // namespace zcluster
