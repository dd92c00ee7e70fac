// SPDX-License-Identifier: Apache-2.0
#include "agent/pair.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "agent/peer/channel.h"
#include "agent/peer/server.h"
#include "agent/settings.h"
#include "common/access/server.h"
#include "common/log.h"
#include "common/status.h"
#include "common/tls.h"

namespace zcluster {

class Pair::Refusals {
 public:
  void SetListener(peer::PeerLink* link) {
    absl::MutexLock lock(&mutex_);
    link_ = link;
  }
  void Tell(const std::string& reason) {
    absl::MutexLock lock(&mutex_);
    if (link_ != nullptr) link_->Refused(reason);
  }

 private:
  absl::Mutex mutex_;
  peer::PeerLink* link_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

absl::StatusOr<std::unique_ptr<Pair>> Pair::Start(const Surroundings& around,
                                                  const config::Settings& given) {
  const config::Settings settings = WithInterfaces(given);
  ZC_ASSIGN_OR_RETURN(std::unique_ptr<store::Store> store,
                      store::Store::Open(around.paths.StoreFile()));
  std::unique_ptr<Pair> pair(new Pair(around, settings, std::move(store)));
  absl::Status status = pair->driver_.Start();
  if (status.ok()) status = pair->StartServers(settings);
  if (status.ok()) return pair;
  pair->Stop();
  pair->ShutDown(absl::ZeroDuration());
  // Behind what it has posted to the loop meanwhile.
  around.loop.Post([dead = std::shared_ptr<Pair>(std::move(pair))] {});
  return status;
}

Pair::Pair(const Surroundings& around, const config::Settings& s,
           std::unique_ptr<store::Store> store)
    : around_(around),
      files_(TlsFiles(s, around.paths)),
      peer_identity_{.uri = tls::NodeUri(s.pair->name, s.agent.peer_name)},
      refusals_(std::make_shared<Refusals>()),
      channel_(peer::MakeChannel(
          s.agent.peer_links,
          tls::ClientCredentials(
              files_, peer_identity_,
              [refusals = refusals_](const std::string& reason) { refusals->Tell(reason); }))),
      store_(std::move(store)),
      brain_(BrainConfig(s), store_->durable()),
      events_(around.loop, {around.paths.EventsFile(), ZC_VERSION}),
      packet_filter_(PacketFilterOptions(s)),
      heartbeat_(around.loop, HeartbeatOptions(s, around.paths)),
      conntrack_(around.loop, ConntrackOptions(s, around.paths), channel_, around.access),
      config_sync_(around.loop, ConfigSyncOptions(s, around.paths), channel_),
      commands_(around.loop, CommandOptions(s), channel_, around.access),
      renewal_(around.loop, IdentityOptions(s, around.paths)),
      facts_(FactsOptions(s, around.paths)),
      path_(PathOptions(s)),
      health_(around.loop, HealthOptions(s)),
      arrival_(around.loop, ArrivalOptions(s)),
      peer_link_(around.loop, LinkOptions(s, around.paths), channel_),
      api_(around.loop, ApiOptions(s, around.paths), channel_, around.access, around.audit,
           around.lifecycle),
      console_(around.console, ConsoleMember(s)),
      controller_link_(MakeControllerLink(s)),
      driver_(around.loop, brain_, Adapters()) {
  refusals_->SetListener(&peer_link_);
  api_.ShowEvents(events_);
  if (controller_link_ != nullptr)
    api_.ShowController([this] { return controller_link_->state(); });
}

std::vector<Adapter*> Pair::Adapters() {
  std::vector<Adapter*> all = {&events_,    store_.get(),  &packet_filter_, &heartbeat_,
                               &conntrack_, &config_sync_, &commands_,      &renewal_,
                               &facts_,     &path_,        &health_,        &arrival_,
                               &peer_link_, &api_,         &console_,       &window_};
  // Behind the Api, whose view of what was published it shows.
  if (controller_link_ != nullptr) all.push_back(controller_link_.get());
  return all;
}

std::unique_ptr<controller_link::ControllerLink> Pair::MakeControllerLink(
    const config::Settings& s) {
  if (!s.agent.controller) return nullptr;
  // Once there are servers: what the controller asks for comes later.
  auto channel = [this]() -> std::shared_ptr<grpc::Channel> {
    if (node_channel_ == nullptr && operators_ != nullptr)
      node_channel_ = operators_->InProcessChannel({});
    return node_channel_;
  };
  return std::make_unique<controller_link::ControllerLink>(
      around_.loop, ControllerOptions(s, around_.paths),
      controller_link::Surroundings{.journal = &events_,
                                    .node = {std::move(channel), around_.access.seal()},
                                    .status = [this] { return api_.Status(); }});
}

Pair::~Pair() { refusals_->SetListener(nullptr); }

// A wrong certificate keeps the peers apart, but must not keep this node from serving: the link
// says what is wrong.
absl::Status Pair::StartServers(const config::Settings& s) {
  std::vector<grpc::Service*> for_peer = {
      &peer_link_.service(),   &conntrack_.service(),     &conntrack_.comparison_service(),
      &config_sync_.service(), &commands_.peer_service(), &around_.configuration_service};
  for (grpc::Service* service : api_.peer_services()) for_peer.push_back(service);
  ZC_ASSIGN_OR_RETURN(
      peer_server_,
      peer::StartServer(s.agent.listen,
                        tls::ServerCredentials(files_, peer_identity_,
                                               [refusals = refusals_](const std::string& reason) {
                                                 refusals->Tell(reason);
                                               }),
                        for_peer));
  std::vector<grpc::Service*> for_operators = {&commands_.local_service(),
                                               &conntrack_.flow_service()};
  for (grpc::Service* service : api_.local_services()) for_operators.push_back(service);
  ZC_ASSIGN_OR_RETURN(
      operators_, access::StartServer(
                      around_.access, for_operators,
                      {s.agent.api_listen,
                       tls::ServerCredentials(
                           files_, around_.access.ExpectOperators(), [](const std::string& reason) {
                             log::Warning("operator_refused", {{"reason", reason}});
                           })}));
  return absl::OkStatus();
}

void Pair::Reconfigure(const config::Settings& given, Done done) {
  const config::Settings settings = WithInterfaces(given);
  // The roots first: they alone may still be refused.
  absl::Status status = config_sync_.Reconfigure(ConfigSyncOptions(settings, around_.paths));
  status.Update(commands_.Reconfigure(CommandOptions(settings)));
  status.Update(packet_filter_.Reconfigure(PacketFilterOptions(settings)));
  conntrack_.Reconfigure(settings.pair->replicate_conntrack, settings.pair->replicate_labels,
                         settings.pair->flow_rules);
  api_.Reconfigure(ApiOptions(settings, around_.paths));
  console_.Reconfigure(ConsoleMember(settings));
  facts_.Reconfigure(FactsOptions(settings, around_.paths));
  path_.Reconfigure(PathOptions(settings));
  health_.Reconfigure(HealthOptions(settings));
  arrival_.Reconfigure(ArrivalOptions(settings));
  driver_.Report(core::Configured{BrainConfig(settings)});
  heartbeat_.Reconfigure(HeartbeatOptions(settings, around_.paths),
                         [status, done = std::move(done)](absl::Status taken) {
                           absl::Status all = status;
                           all.Update(taken);
                           done(all);
                         });
}

void Pair::EndHeartbeat(Done done) {
  heartbeat_.GiveBack([done = std::move(done)] { done(absl::OkStatus()); });
}

void Pair::Stop() {
  refusals_->SetListener(nullptr);
  driver_.Stop();
}

void Pair::ShutDown(absl::Duration grace) {
  const auto deadline = std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace);
  if (operators_ != nullptr) operators_->Shutdown(deadline);
  if (peer_server_ != nullptr) peer_server_->Shutdown(deadline);
}

}  // namespace zcluster
