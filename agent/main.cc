// SPDX-License-Identifier: Apache-2.0
// zagent: composes configuration, store, brain, adapters, servers and driver, and serves until told
// to stop.
#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "absl/synchronization/mutex.h"
#include "agent/access/access.h"
#include "agent/access/audit_log.h"
#include "agent/access/local_listener.h"
#include "agent/access/server.h"
#include "agent/api/api.h"
#include "agent/api/lifecycle.h"
#include "agent/command/command.h"
#include "agent/config/config.h"
#include "agent/configsync/configsync.h"
#include "agent/conntrack/conntrack.h"
#include "agent/core/brain.h"
#include "agent/driver/driver.h"
#include "agent/heartbeat/heartbeat.h"
#include "agent/machine/machine.h"
#include "agent/packetfilter/packetfilter.h"
#include "agent/peer/channel.h"
#include "agent/peer/peer.h"
#include "agent/peer/server.h"
#include "agent/store/store.h"
#include "common/file.h"
#include "common/log.h"
#include "common/status.h"
#include "common/tls.h"

namespace zcluster {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitBadConfiguration = 2;

struct Flags {
  std::string config = "/etc/zcluster/agent.yaml";
  std::string pair = "/etc/zcluster/pair.yaml";
  std::string state_dir = "/var/lib/zcluster";
  std::string run_dir = "/run/zcluster";
  bool check = false;
};

core::Config BrainConfig(const config::Settings& s) {
  core::Config brain;
  brain.node_name = s.agent.node_name;
  brain.node_address = s.agent.node_address;
  brain.peer_name = s.agent.peer_name;
  brain.peer_address = s.agent.peer_address;
  brain.failback = s.pair->failback;
  brain.preferred = s.pair->preferred;
  brain.advert_interval = s.pair->advert_interval.duration();
  brain.replicate_conntrack = s.pair->replicate_conntrack;
  brain.has_roots = !s.pair->roots.empty();
  return brain;
}

heartbeat::Options HeartbeatOptions(const config::Settings& s, const Flags& flags) {
  heartbeat::Options options{.node_name = s.agent.node_name,
                             .interface = s.agent.interface,
                             .address = s.agent.node_address,
                             .peer_address = s.agent.peer_address,
                             .router_id = s.pair->router_id,
                             .advert_interval = s.pair->advert_interval,
                             .vips = {},
                             .state_dir = flags.state_dir + "/heartbeat",
                             .run_dir = flags.run_dir};
  for (const config::Vip& vip : s.pair->vips)
    options.vips.push_back({vip.WithPrefix(), vip.interface});
  return options;
}

packetfilter::Options PacketFilterOptions(const config::Settings& s) {
  packetfilter::Options options{.address = s.agent.node_address,
                                .peer_address = s.agent.peer_address,
                                .interface = s.agent.interface,
                                .link_port = s.agent.listen_port,
                                .link_addresses = s.agent.LinkAddresses(),
                                .vips = {}};
  for (const config::Vip& vip : s.pair->vips) options.vips.push_back(vip.address);
  return options;
}

// Flows between two of these are the pair's own.
std::vector<std::string> OwnAddresses(const config::Settings& s) {
  std::vector<std::string> addresses = s.agent.LinkAddresses();
  addresses.push_back(s.agent.node_address);
  return addresses;
}

configsync::Options ConfigSyncOptions(const config::Settings& s, const Flags& flags) {
  configsync::Options options;
  options.own_paths = {flags.state_dir, flags.run_dir, flags.config, flags.pair};
  for (const config::Root& root : s.pair->roots) options.roots.push_back({root.path, root.exclude});
  return options;
}

command::Options CommandOptions(const config::Settings& s) {
  command::Options options;
  options.node_name = s.agent.node_name;
  options.peer_name = s.agent.peer_name;
  options.programs = s.agent.programs;
  for (const config::Command& c : s.pair->commands) {
    command::CommandSpec spec{c.name, c.summary, c.argv, {}, c.timeout};
    for (const config::Argument& argument : c.arguments)
      spec.arguments.push_back({argument.name, argument.pattern});
    options.catalogue.push_back(std::move(spec));
  }
  return options;
}

api::Options ApiOptions(const config::Settings& s) {
  api::Options options;
  options.pair = s.pair->name;
  options.version = ZC_VERSION;
  options.advert_interval = s.pair->advert_interval.duration();
  for (const config::Vip& vip : s.pair->vips)
    options.vips.push_back({vip.WithPrefix(), vip.interface});
  options.node_name = s.agent.node_name;
  options.node_address = s.agent.node_address;
  options.peer_name = s.agent.peer_name;
  options.peer_address = s.agent.peer_address;
  return options;
}

// A VIP without an interface goes where its network is on this node, else where VRRP runs.
absl::Status PlaceVips(config::Settings& s) {
  std::vector<std::string> vips;
  for (const config::Vip& vip : s.pair->vips) vips.push_back(vip.address);
  ZC_ASSIGN_OR_RETURN(const std::vector<machine::Address> addresses, machine::Addresses(vips));
  for (config::Vip& vip : s.pair->vips) {
    if (vip.interface.empty()) vip.interface = machine::InterfaceFor(addresses, vip.address);
    if (vip.interface.empty()) vip.interface = s.agent.interface;
  }
  return absl::OkStatus();
}

std::vector<access::Operator> Operators(const config::PairSettings& pair) {
  std::vector<access::Operator> operators;
  for (const config::Operator& o : pair.operators) operators.push_back({o.name, o.role, o.key});
  return operators;
}

// One agent a run directory: the lock ends with the process, however it ends.
absl::StatusOr<UniqueFd> TakePidFile(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return ErrnoStatus(path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, ": another zagent runs; stop it first, or use another --run-dir"));
  }
  const std::string pid = absl::StrCat(::getpid(), "\n");
  if (::ftruncate(fd.get(), 0) != 0 || ::write(fd.get(), pid.data(), pid.size()) < 0)
    return ErrnoStatus(path);
  return fd;
}

// Brings the link the reasons for which the credentials refused somebody. gRPC may keep the
// credentials, and call them, longer than the link lives.
class Refusals {
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

// Stands where the life cycle of pairs will: refuses.
class NoLifecycle : public api::Lifecycle {
 public:
  absl::StatusOr<v1::InterfacesResponse> Interfaces() override { return No(); }
  void Probe(const v1::ProbeRequest&, Answer<v1::ProbeResponse> answer) override { answer(No()); }
  absl::StatusOr<v1::DescribeResponse> Describe() override { return No(); }
  void Plan(const v1::PlanRequest&, Answer<v1::PlanResponse> answer) override { answer(No()); }
  void Create(v1::CreateRequest, api::StepSink steps) override { steps.end(No()); }
  void Apply(const v1::ApplyRequest&, api::StepSink steps) override { steps.end(No()); }
  void Unconfigure(const v1::UnconfigureRequest&, api::StepSink steps) override { steps.end(No()); }
  absl::StatusOr<v1::TokenResponse> Token(absl::Duration) override { return No(); }
  absl::StatusOr<v1::FingerprintResponse> Fingerprint() override { return No(); }
  absl::Status Unlock() override { return No(); }
  void AddOperator(const v1::AddOperatorRequest&, Answer<v1::AddOperatorResponse> answer) override {
    answer(No());
  }
  absl::StatusOr<v1::ListOperatorsResponse> ListOperators() override { return No(); }
  void RevokeOperator(const v1::RevokeOperatorRequest&,
                      Answer<v1::RevokeOperatorResponse> answer) override {
    answer(No());
  }

 private:
  static absl::Status No() {
    return absl::UnimplementedError("this agent cannot change its pair yet");
  }
};

absl::Status Serve(const config::Settings& settings, const Flags& flags) {
  ZC_RETURN_IF_ERROR(MakeDirectories(flags.state_dir, 0700));
  ZC_RETURN_IF_ERROR(MakeDirectories(flags.run_dir, 0700));
  ZC_ASSIGN_OR_RETURN(const UniqueFd pid_file, TakePidFile(flags.run_dir + "/agent.pid"));
  ZC_ASSIGN_OR_RETURN(const std::unique_ptr<access::AuditLog> audit_log,
                      access::AuditLog::Open({flags.state_dir + "/audit.log"}));
  access::Access access(*audit_log);
  access.SetPair(settings.pair->name, settings.agent.peer_name);
  access.SetOperators(Operators(*settings.pair));
  Loop loop;

  const tls::Files files{settings.agent.certificate, settings.agent.key, settings.agent.ca};
  const tls::Expected peer_identity{tls::NodeUri(settings.pair->name, settings.agent.peer_name)};
  const auto refusals = std::make_shared<Refusals>();
  const tls::OnRefused refused = [refusals](const std::string& reason) { refusals->Tell(reason); };
  const std::shared_ptr<grpc::Channel> channel = peer::MakeChannel(
      settings.agent.peer_links, tls::ClientCredentials(files, peer_identity, refused));

  const std::string own_uri = tls::NodeUri(settings.pair->name, settings.agent.node_name);
  const auto check_own_files = [files, own_uri] { return tls::CheckOwnFiles(files, own_uri); };

  ZC_ASSIGN_OR_RETURN(const std::unique_ptr<store::Store> store,
                      store::Store::Open(flags.state_dir + "/state.db"));
  core::Brain brain(BrainConfig(settings), store->durable());

  packetfilter::PacketFilter packet_filter(PacketFilterOptions(settings));
  heartbeat::Heartbeat heartbeat(loop, HeartbeatOptions(settings, flags));
  conntrack::Conntrack conntrack(
      loop,
      {.replicate = settings.pair->replicate_conntrack, .own_addresses = OwnAddresses(settings), .state_file = flags.state_dir + "/conntrack-events"},
      channel);
  configsync::ConfigSync config_sync(loop, ConfigSyncOptions(settings, flags), channel);
  command::Command commands(loop, CommandOptions(settings), channel, access);
  NoLifecycle lifecycle;
  api::Api api(loop, ApiOptions(settings), channel, access, *audit_log, lifecycle);
  peer::PeerLink peer_link(loop,
                           {.pair = settings.pair->name,
                            .node = settings.agent.node_name,
                            .address = settings.agent.node_address,
                            .peer = settings.agent.peer_name,
                            .peer_address = settings.agent.peer_links.front(),
                            .version = ZC_VERSION,
                            .check_own_files = check_own_files},
                           channel);
  refusals->SetListener(&peer_link);

  // A wrong certificate keeps the peers apart, but must not keep this node from serving: the link
  // says what is wrong.
  std::vector<grpc::Service*> for_peer = {&peer_link.service(), &conntrack.service(),
                                          &config_sync.service(), &commands.peer_service()};
  for (grpc::Service* service : api.peer_services()) for_peer.push_back(service);
  std::vector<grpc::Service*> for_operators = {&commands.local_service()};
  for (grpc::Service* service : api.local_services()) for_operators.push_back(service);

  driver::Driver driver(loop, brain,
                        {store.get(), &packet_filter, &heartbeat, &conntrack, &config_sync,
                         &commands, &peer_link, &api});
  if (const absl::Status started = driver.Start(); !started.ok()) {
    refusals->SetListener(nullptr);
    return started;
  }
  auto peer_server = peer::StartServer(
      settings.agent.listen, tls::ServerCredentials(files, peer_identity, refused), for_peer);
  const tls::OnRefused operator_refused = [](const std::string& reason) {
    log::Warning("operator_refused", {{"reason", reason}});
  };
  auto operators_server = access::StartServer(
      access, for_operators,
      {settings.agent.api_listen,
       tls::ServerCredentials(files, access.ExpectOperators(), operator_refused)});
  auto listener = access::LocalListener::Listen(
      loop, access.local_callers(), flags.run_dir + "/agent.sock", access::kOperatorsGroup);
  absl::Status status = peer_server.status();
  status.Update(operators_server.status());
  status.Update(listener.status());
  if (status.ok()) {
    (*listener)->Serve(operators_server->get());
    const Loop::Registration signals =
        loop.OnSignals({SIGTERM, SIGINT}, [&loop](int) { loop.Quit(); });
    log::Info("agent_started", {{"version", ZC_VERSION},
                                {"node", settings.agent.node_name},
                                {"pair", settings.pair->name}});
    loop.Run();
    log::Info("agent_stopped", {{"node", settings.agent.node_name}});
  }
  // keepalived and the connections go on: only what hears and tells ends.
  const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(200);
  refusals->SetListener(nullptr);
  driver.Stop();  // first: the loop has ended, and no call may wait for it
  if (listener.ok()) listener->reset();
  if (operators_server.ok()) (*operators_server)->Shutdown(deadline);
  if (peer_server.ok()) (*peer_server)->Shutdown(deadline);
  return status;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app{"zagent: keeps one node of a zcluster pair: heartbeat, replication, takeover",
               "zagent"};
  app.add_option("--config", flags.config, "This node's configuration")->capture_default_str();
  app.add_option("--pair", flags.pair, "The pair's configuration, the same on both nodes")
      ->capture_default_str();
  app.add_option("--state-dir", flags.state_dir, "What must survive a reboot")
      ->capture_default_str();
  app.add_option("--run-dir", flags.run_dir, "Sockets, pid files")->capture_default_str();
  app.add_flag("--check", flags.check, "Check the configuration and end: exit code 0 or 2");
  app.set_version_flag("--version", "zagent " ZC_VERSION);
  app.footer(
      "Exit codes: 0 told to stop; 1 cannot run here; 2 wrong flags or configuration.\n"
      "Examples:\n  zagent --check\n  zagent --config /etc/zcluster/agent.yaml");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitBadConfiguration;
  }
  ::signal(SIGPIPE, SIG_IGN);
  tls::RequireTls13();
  // Never undone: else gRPC 1.51 may wait ten seconds for its own threads when the last channel
  // goes.
  grpc_init();
  absl::StatusOr<config::Settings> settings = config::Load(flags.config, flags.pair);
  if (!settings.ok()) {
    std::cerr << settings.status().message() << "\n";
    return kExitBadConfiguration;
  }
  if (flags.check) {
    std::cout << "the configuration is good\n";
    return 0;
  }
  if (!settings->agent.in_pair || !settings->agent.tls_given) {
    std::cerr << flags.config << ": node, peer and tls are missing: this node is in no pair\n";
    return kExitBadConfiguration;
  }
  absl::Status status = PlaceVips(*settings);
  if (status.ok()) status = Serve(*settings, flags);
  if (status.ok()) return 0;
  log::Error("agent_failed", {{"problem", std::string(status.message())}});
  return kExitFailed;
}

}  // namespace
}  // namespace zcluster

int main(int argc, char** argv) { return zcluster::Main(argc, argv); }
