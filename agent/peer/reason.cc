// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/reason.h"

#include <grpcpp/grpcpp.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace zcluster::peer {
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

}  // namespace

std::string Explain(const grpc::Status& status, absl::string_view peer, bool spoke) {
  const std::string message = status.error_message();
  const absl::string_view text = message;
  // What our own verdict on the peer's certificate was (common/tls).
  constexpr absl::string_view kVerdict = "Custom verification check failed with error: ";
  if (const size_t at = text.find(kVerdict); at != absl::string_view::npos) {
    return std::string(absl::StripPrefix(text.substr(at + kVerdict.size()), "UNAUTHENTICATED: "));
  }
  const std::string address = AddressIn(text, peer);
  if (SaysAny(text, {"Connection refused"})) {
    return absl::StrCat("connection refused by ", address, " (is zagent running there?)");
  }
  if (SaysAny(text, {"No route to host", "Network is unreachable", "Host is unreachable"})) {
    return absl::StrCat("no route to ", address);
  }
  // The channel gave the address its second, and TCP had no answer.
  if (SaysAny(text, {"tcp handshaker shutdown", "keepalive watchdog timeout", "timed out"})) {
    return absl::StrCat("no answer from ", address);
  }
  if (SaysAny(text, {"Handshake read failed", "Handshake failed"})) {
    return absl::StrCat("no answer from ", address,
                        " to the TLS handshake (does zagent hang there?)");
  }
  if (SaysAny(text, {"Socket closed", "Connection reset", "Broken pipe"})) {
    return spoke ? absl::StrCat(address, " closed the connection (did zagent stop there?)")
                 : absl::StrCat(address,
                                " closed the connection before a word was said (does it "
                                "accept our certificate? its log says why)");
  }
  if (text.empty()) return absl::StrCat(address, " ended the link without a reason");
  return std::string(text);
}

}  // namespace zcluster::peer
