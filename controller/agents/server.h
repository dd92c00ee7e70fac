// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/tls.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace zcluster::controller {

class StreamGate;

// FleetLinkService, each stream of which goes through `gate`.
std::unique_ptr<grpc::Service> MakeLinkService(std::shared_ptr<StreamGate> gate);

// Where it is served.
struct LinkPort {
  std::string listen;
  std::string fleet;
  tls::Files files;
  tls::OnRefused refused;  // handshakes; from gRPC's threads
};

// A server for many thousand connections that are mostly silent. `bound` is its port. The error
// names the address and why it cannot be had.
absl::StatusOr<std::unique_ptr<grpc::Server>> StartLinkServer(grpc::Service& service,
                                                              const LinkPort& port, int& bound);

}  // namespace zcluster::controller
