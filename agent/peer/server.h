// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class Server;
class ServerCredentials;
class Service;
}  // namespace grpc

namespace zcluster::peer {

// Serves `services`, which must outlive the server, and the standard ones (health, reflection), on
// `listen`: "10.0.0.1:7700", "[::]:7700"; port 0 lets the kernel choose. `port`, if given, receives
// the port. Two servers never share an address. The error names the address and why it cannot be
// had. Shut it down (with a deadline: calls may be open) before it is destroyed.
absl::StatusOr<std::unique_ptr<grpc::Server>> StartServer(
    const std::string& listen, std::shared_ptr<grpc::ServerCredentials> credentials,
    std::vector<grpc::Service*> services, int* port = nullptr);

}  // namespace zcluster::peer
