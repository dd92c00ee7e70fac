// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/api/api.h"
#include "agent/api/lifecycle.h"
#include "agent/arrival/arrival.h"
#include "agent/command/command.h"
#include "agent/config/config.h"
#include "agent/configsync/configsync.h"
#include "agent/conntrack/conntrack.h"
#include "agent/console/console.h"
#include "agent/controller_link/controller_link.h"
#include "agent/core/brain.h"
#include "agent/driver/driver.h"
#include "agent/events/events.h"
#include "agent/facts/facts.h"
#include "agent/facts/path.h"
#include "agent/health/health.h"
#include "agent/heartbeat/heartbeat.h"
#include "agent/identity/identity.h"
#include "agent/lifecycle/paths.h"
#include "agent/packetfilter/packetfilter.h"
#include "agent/peer/peer.h"
#include "agent/store/store.h"
#include "common/access/access.h"
#include "common/access/audit_log.h"
#include "common/loop.h"

namespace zcluster {

// What surrounds a member, and outlives it.
struct Surroundings {
  Loop& loop;
  const lifecycle::Paths& paths;
  access::Access& access;
  access::AuditLog& audit;
  api::Lifecycle& lifecycle;
  grpc::Service& configuration_service;  // for the peer
  console::Console& console;
};

// All that a node in a pair runs: the brain, its driver and adapters, the link, the servers. Loop
// thread.
class Pair {
 public:
  using Done = std::function<void(const absl::Status&)>;

  // Composes and starts it; on an error nothing of it runs.
  static absl::StatusOr<std::unique_ptr<Pair>> Start(const Surroundings& around,
                                                     const config::Settings& settings);
  // Stop() and ShutDown() must have come before.
  ~Pair();

  // Takes other settings of the same pair, in place.
  void Reconfigure(const config::Settings& settings, Done done);
  // Ends VRRP on this node for good.
  void EndHeartbeat(Done done);
  // Ends adapters and brain; keepalived and the connections live on. The servers still answer.
  void Stop();
  // Ends the servers; calls that are open get `grace`. Any thread; may wait for so long.
  void ShutDown(absl::Duration grace);

  grpc::Server& operators() { return *operators_; }
  const std::shared_ptr<grpc::Channel>& peer() const { return channel_; }
  const core::View& view() const { return window_.view; }
  void Report(core::Event event) { driver_.Report(std::move(event)); }

 private:
  // Keeps what the brain published last.
  struct Window : Adapter {
    absl::Status Start(EventSink&) override { return absl::OkStatus(); }
    void Perform(const core::Action& action) override {
      if (const auto* publish = std::get_if<core::Publish>(&action)) view = publish->view;
    }
    void Stop() override {}
    core::View view;
  };
  // Brings the link the reasons for which the credentials refused somebody. gRPC may keep the
  // credentials, and call them, longer than the link lives.
  class Refusals;

  Pair(const Surroundings& around, const config::Settings& settings,
       std::unique_ptr<store::Store> store);
  absl::Status StartServers(const config::Settings& settings);
  std::unique_ptr<controller_link::ControllerLink> MakeControllerLink(
      const config::Settings& settings);
  std::vector<Adapter*> Adapters();

  const Surroundings around_;
  const tls::Files files_;
  const tls::Expected peer_identity_;
  const std::shared_ptr<Refusals> refusals_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<store::Store> store_;
  core::Brain brain_;

  events::Journal events_;
  packetfilter::PacketFilter packet_filter_;
  heartbeat::Heartbeat heartbeat_;
  conntrack::Conntrack conntrack_;
  configsync::ConfigSync config_sync_;
  command::Command commands_;
  identity::Renewal renewal_;
  facts::Facts facts_;
  facts::Path path_;
  health::Health health_;
  arrival::Arrival arrival_;
  peer::PeerLink peer_link_;
  api::Api api_;
  console::MemberConsole console_;
  Window window_;
  const std::unique_ptr<controller_link::ControllerLink> controller_link_;  // null: no controller
  driver::Driver driver_;

  std::unique_ptr<grpc::Server> peer_server_;
  std::unique_ptr<grpc::Server> operators_;
  std::shared_ptr<grpc::Channel> node_channel_;  // to operators_, from within
};

}  // namespace zcluster
