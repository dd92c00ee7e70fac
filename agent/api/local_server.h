// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace zcluster::api {

// Serves `services` on a UNIX socket that only our own user (root) may use: the socket has mode
// 0600; its directory is made with mode 0700 if it is missing, and must otherwise be ours and
// writable by nobody else. What a dead agent left there is replaced. INVALID_ARGUMENT: a path that
// UNIX sockets cannot have; ALREADY_EXISTS: a living agent answers there, or something else lies
// there; PERMISSION_DENIED: the directory is not safe. Each says what to do. `services` must
// outlive the server.
absl::StatusOr<std::unique_ptr<grpc::Server>> StartLocalServer(
    const std::string& socket_path, const std::vector<grpc::Service*>& services);

}  // namespace zcluster::api
