// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace zcluster::peer {

// Why a stream to the peer ended, as a sentence for operators, from what gRPC 1.51 says of it.
// `peer` is the address to name where gRPC names none; `spoke`: the peer had said something on this
// stream.
std::string Explain(const grpc::Status& status, absl::string_view peer, bool spoke);

}  // namespace zcluster::peer
