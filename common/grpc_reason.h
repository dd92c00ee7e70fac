// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace zcluster {

// What kept a call from being answered.
enum class CallTrouble {
  kVerdict,      // our own check of the other side's certificate (common/tls): `text` is its word
  kRefused,      // nobody listens
  kNoRoute,      // the network knows no way
  kNoAnswer,     // packets vanish
  kNoHandshake,  // TCP answers, TLS does not
  kClosed,       // the other side ended the connection
  kSaid,         // none of these: `text` is what was said, perhaps nothing
};

struct CallReason {
  CallTrouble trouble;
  std::string address;  // that was tried last
  std::string text;
};

// Reads a reason out of what gRPC 1.51 says of a call that failed. `address` stands where gRPC
// names none. Pure.
CallReason ReasonOf(const grpc::Status& status, absl::string_view address);

}  // namespace zcluster
