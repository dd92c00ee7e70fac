// SPDX-License-Identifier: Apache-2.0
// zlab-flood: a controller that has gone mad. With the identity of the real one it lets each agent
// in, and then says as much as the wire takes: requests, subscriptions, acknowledgements, and
// nonsense.
//   zlab-flood STATE-DIR ADDRESS:PORT
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/identity.h"
#include "common/protocol.h"
#include "common/tls.h"
#include "zcluster/v1/fleet_link.grpc.pb.h"

namespace zcluster {
namespace {

std::atomic<uint64_t> sent{0};

class Flood : public v1::FleetLinkService::Service {
 private:
  using Stream = grpc::ServerReaderWriter<v1::ControllerMessage, v1::AgentMessage>;

  grpc::Status Connect(grpc::ServerContext*, Stream* stream) override {
    v1::AgentMessage hello;
    if (!stream->Read(&hello)) return grpc::Status::CANCELLED;
    v1::ControllerMessage message;
    message.mutable_welcome()->set_controller("flood");
    message.mutable_welcome()->set_protocol(kFleetProtocol);
    message.mutable_welcome()->mutable_report_interval()->set_seconds(1);
    // What the agent says is not read: its messages pile up on its side.
    for (uint64_t i = 1; stream->Write(message); ++i, ++sent) message = Next(i);
    return grpc::Status::OK;
  }

  static v1::ControllerMessage Next(uint64_t i) {
    v1::ControllerMessage message;
    switch (i % 4) {
      case 0:
        message.mutable_flows()->set_max_per_second(static_cast<uint32_t>(i));
        break;
      case 1:
        message.mutable_events_taken()->set_number(i * 1000);
        break;
      case 2:
        message.mutable_certificate()->set_certificate(std::string(10'000, 'x'));
        break;
      default: {
        v1::FleetRequest& request = *message.mutable_request();
        request.set_id(i);
        request.set_who("nobody in particular");
        request.set_right(v1::RIGHT_VIEWER);
        request.mutable_switchover()->set_force(true);
      }
    }
    return message;
  }
};

int Main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "zlab-flood STATE-DIR ADDRESS:PORT\n";
    return 2;
  }
  tls::RequireTls13();
  tls::Expected agents;
  agents.accept = [](const tls::Identity& who) {
    return absl::StrContains(who.uri, "/agent/") ? absl::OkStatus()
                                                 : absl::UnauthenticatedError("no agent");
  };
  agents.whom = "an agent";
  Flood service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(
      argv[2],
      tls::ServerCredentials(identity::FilesIn(absl::StrCat(argv[1], "/tls")), agents,
                             [](const std::string& why) { std::cerr << why << "\n"; }),
      &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    std::cerr << argv[2] << ": cannot listen\n";
    return 1;
  }
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  timespec second = {1, 0};
  // How much went out, for the test to see that there was a flood.
  while (sigtimedwait(&end, nullptr, &second) < 0) std::cout << sent << std::endl;
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace zcluster

int main(int argc, char** argv) {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &end, nullptr);  // before there are threads
  return zcluster::Main(argc, argv);
}
