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

// Who let us in: a node of the pair, or a controller of the fleet.
struct Reached {
  std::shared_ptr<grpc::Channel> channel;
  std::string address;
  bool controller = false;
};

// Connects over TLS 1.3 to the first of the credential's addresses that answers, as a node of the
// pair or a controller of the fleet that the credential is for, and nobody else: its certificate is
// signed by the credential's CA and carries zcluster://NAME/node/ANY or
// zcluster://NAME/controller/ANY. Waits at most `limit` (zero: no bound but an address's own), and
// at most three seconds for each. UNAUTHENTICATED if the credential is no good; UNAVAILABLE says
// for each address why not. Must come before any other use of gRPC in the process.
absl::StatusOr<Reached> Dial(const Credential& credential, absl::Duration limit);

}  // namespace zcluster::ctl
