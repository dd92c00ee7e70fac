// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ctl/remote/credential.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace zcluster::ctl {

// A node of the pair that let us in.
struct Reached {
  std::shared_ptr<grpc::Channel> channel;
  std::string address;
};

// Connects over TLS 1.3 to the first of the credential's addresses that answers, as the pair's node
// and no other: its certificate is signed by the pair's CA and carries zcluster://PAIR/node/ANY.
// Waits at most `limit` (zero: no bound but a node's own), and at most three seconds for a node.
// UNAUTHENTICATED if the credential is no good; UNAVAILABLE says for each address why not. Must
// come before any other use of gRPC in the process.
absl::StatusOr<Reached> Dial(const Credential& credential, absl::Duration limit);

}  // namespace zcluster::ctl
