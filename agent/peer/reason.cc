// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/reason.h"

#include "absl/strings/str_cat.h"
#include "common/grpc_reason.h"

namespace zcluster::peer {

std::string Explain(const grpc::Status& status, absl::string_view peer, bool spoke) {
  const CallReason reason = ReasonOf(status, peer);
  const std::string& address = reason.address;
  switch (reason.trouble) {
    case CallTrouble::kVerdict:
      return reason.text;
    case CallTrouble::kRefused:
      return absl::StrCat("connection refused by ", address, " (is zagent running there?)");
    case CallTrouble::kNoRoute:
      return absl::StrCat("no route to ", address);
    case CallTrouble::kNoAnswer:
      return absl::StrCat("no answer from ", address);
    case CallTrouble::kNoHandshake:
      return absl::StrCat("no answer from ", address,
                          " to the TLS handshake (does zagent hang there?)");
    case CallTrouble::kClosed:
      return spoke ? absl::StrCat(address, " closed the connection (did zagent stop there?)")
                   : absl::StrCat(address,
                                  " closed the connection before a word was said (does it "
                                  "accept our certificate? its log says why)");
    case CallTrouble::kSaid:
      break;
  }
  if (reason.text.empty()) return absl::StrCat(address, " ended the link without a reason");
  return reason.text;
}

}  // namespace zcluster::peer
