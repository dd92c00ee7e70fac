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

namespace zcluster {
class Guard;
}  // namespace zcluster

namespace zcluster::access {

// Where operators from elsewhere are served.
struct Port {
  std::string listen;  // ADDRESS:PORT; port 0 lets the kernel choose; empty: nowhere
  std::shared_ptr<grpc::ServerCredentials> credentials;
};

// What operators call: `services`, which must ask `guard` themselves, and the standard ones
// (health, reflection), for which this asks it. For connections that a local listener hands over,
// and on `port`. All must outlive the server. The error names the address and why it cannot be had.
// Shut it down (with a deadline: calls may be open) before it is destroyed.
absl::StatusOr<std::unique_ptr<grpc::Server>> StartServer(
    Guard& guard, const std::vector<grpc::Service*>& services, const Port& port,
    int* bound = nullptr);

}  // namespace zcluster::access
