// SPDX-License-Identifier: Apache-2.0
#include "agent/settings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/lifecycle/member.h"
#include "agent/machine/machine.h"
#include "common/protocol.h"

namespace zcluster {

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
  brain.has_commands = !s.pair->commands.empty();
  return brain;
}

heartbeat::Options HeartbeatDirectories(const lifecycle::Paths& paths) {
  return {.node_name = "",
          .interface = "",
          .address = "",
          .peer_address = "",
          .advert_interval = *core::AdvertInterval::From(absl::Seconds(1)),
          .vips = {},
          .state_dir = paths.state_dir + "/heartbeat",
          .run_dir = paths.run_dir};
}

heartbeat::Options HeartbeatOptions(const config::Settings& s, const lifecycle::Paths& paths) {
  heartbeat::Options options = HeartbeatDirectories(paths);
  options.node_name = s.agent.node_name;
  options.interface = s.agent.interface;
  options.address = s.agent.node_address;
  options.peer_address = s.agent.peer_address;
  options.router_id = s.pair->router_id;
  options.advert_interval = s.pair->advert_interval;
  options.multicast = s.pair->multicast;
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

conntrack::Options ConntrackOptions(const config::Settings& s, const lifecycle::Paths& paths) {
  conntrack::Options options;
  options.node_name = s.agent.node_name;
  options.replicate = s.pair->replicate_conntrack;
  options.labels = s.pair->replicate_labels;
  options.rules = s.pair->flow_rules;
  // Flows between two of these are the pair's own.
  options.own_addresses = s.agent.LinkAddresses();
  options.own_addresses.push_back(s.agent.node_address);
  options.state_file = paths.state_dir + "/conntrack-events";
  return options;
}

peer::Options LinkOptions(const config::Settings& s, const lifecycle::Paths& paths) {
  const tls::Files files = TlsFiles(s, paths);
  const std::string own = tls::NodeUri(s.pair->name, s.agent.node_name);
  return {.pair = s.pair->name,
          .node = s.agent.node_name,
          .address = s.agent.node_address,
          .peer = s.agent.peer_name,
          .peer_address = s.agent.peer_links.front(),
          .version = ZC_VERSION,
          .check_own_files = [files, own] { return tls::CheckOwnFiles(files, own); }};
}

configsync::Options ConfigSyncOptions(const config::Settings& s, const lifecycle::Paths& paths) {
  configsync::Options options;
  options.agreed_dir = paths.AgreedDir();
  options.kept_dir = paths.ConflictsDir();
  options.own_paths = {paths.state_dir, paths.run_dir, paths.agent_file, paths.pair_file};
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

facts::Options FactsOptions(const config::Settings& s, const lifecycle::Paths& paths) {
  facts::Options options{.address = s.agent.node_address,
                         .peer_address = s.agent.peer_address,
                         .version = absl::StrCat(ZC_VERSION, ", protocol ", kPeerProtocol),
                         .generation = s.pair->generation,
                         .vips = {},
                         .backends = s.pair->backends,
                         .peer_links = s.agent.peer_links,
                         .kept_dir = paths.ConflictsDir(),
                         .state_dir = paths.state_dir,
                         .certificate = TlsFiles(s, paths).certificate,
                         .must_pass = {.interface = s.agent.interface,
                                       .address = s.agent.node_address,
                                       .peer_address = s.agent.peer_address,
                                       .multicast = s.pair->multicast,
                                       .link_port = s.agent.listen_port,
                                       .link_addresses = s.agent.LinkAddresses()}};
  options.interface = s.agent.interface;
  options.router_id = s.pair->router_id;
  options.multicast = s.pair->multicast;
  for (const config::Vip& vip : s.pair->vips)
    options.vips.push_back({vip.address, vip.prefix_length});
  return options;
}

// The clients' path, of whose silence VRRP speaks: its own interface, if VIPs are there (or none
// are anywhere), else those that have them.
facts::PathTargets PathOptions(const config::Settings& s) {
  facts::PathTargets targets{.interfaces = {}, .backends = s.pair->backends};
  constexpr size_t kMost = 32;
  for (const config::Vip& vip : s.pair->vips) {
    auto& all = targets.interfaces;
    const bool known = std::find(all.begin(), all.end(), vip.interface) != all.end();
    if (!known && all.size() < kMost) all.push_back(vip.interface);
  }
  const bool own = std::any_of(s.pair->vips.begin(), s.pair->vips.end(),
                               [&](const auto& vip) { return vip.interface == s.agent.interface; });
  if (own || s.pair->vips.empty()) targets.interfaces = {s.agent.interface};
  return targets;
}

// Where each of `gateways` is: in a network of the node's own, or of a VIP, which a backup has no
// address in: then it asks as one that has none yet (RFC 5227). Never as a VIP, which may go while
// we ask, and would stay in the gateway's mind.
static std::vector<health::Way> WaysTo(const std::vector<std::string>& gateways,
                                       const std::vector<config::Vip>& vips) {
  std::vector<std::string> names;
  for (const config::Vip& vip : vips) names.push_back(vip.address);
  const auto addresses = machine::Addresses(names);
  std::vector<health::Way> ways;
  for (const std::string& gateway : gateways) {
    health::Way& way = ways.emplace_back();
    const machine::Address* source =
        addresses.ok() ? machine::SourceFor(*addresses, gateway) : nullptr;
    if (source != nullptr) way = {source->interface, source->v6 ? "" : source->address};
    for (const config::Vip& vip : vips) {
      if (!way.interface.empty()) break;
      const machine::Address network{.address = vip.address,
                                     .prefix_length = vip.prefix_length,
                                     .v6 = vip.v6,
                                     .interface = "",
                                     .refused = ""};
      if (machine::SameNetwork(network, gateway)) way = {vip.interface, vip.v6 ? "" : "0.0.0.0"};
    }
  }
  return ways;
}

health::Options HealthOptions(const config::Settings& s) {
  const config::HealthSettings& given = s.pair->health;
  health::Options options{.node_name = s.agent.node_name,
                          .interfaces = given.interfaces,
                          .gateways = given.gateways,
                          .find_ways = nullptr,
                          .check = {},
                          .programs = s.agent.programs};
  if (given.check) {
    options.check = health::CheckOptions{.command = given.check->command,
                                         .interval = given.check->interval,
                                         .timeout = given.check->timeout,
                                         .rise = given.check->rise,
                                         .fall = given.check->fall};
  }
  options.find_ways = [vips = s.pair->vips](const std::vector<std::string>& gateways) {
    return WaysTo(gateways, vips);
  };
  return options;
}

arrival::Options ArrivalOptions(const config::Settings& s) {
  arrival::Options options{.peer_address = s.agent.peer_address, .vips = {}};
  for (const config::Vip& vip : s.pair->vips) options.vips.push_back(vip.address);
  return options;
}

api::Options ApiOptions(const config::Settings& s, const lifecycle::Paths& paths) {
  api::Options options;
  options.pair = s.pair->name;
  options.generation = s.pair->generation;
  options.version = ZC_VERSION;
  options.advert_interval = s.pair->advert_interval.duration();
  for (const config::Vip& vip : s.pair->vips)
    options.vips.push_back({vip.WithPrefix(), vip.interface});
  options.node_name = s.agent.node_name;
  options.node_address = s.agent.node_address;
  options.peer_name = s.agent.peer_name;
  options.peer_address = s.agent.peer_address;
  options.kept_dir = paths.ConflictsDir();
  return options;
}

api::Options IdleApiOptions(const lifecycle::Paths& paths) {
  api::Options options;
  options.unconfigured = true;
  options.kept_dir = paths.ConflictsDir();  // of the pair that it was in
  options.version = ZC_VERSION;
  const absl::StatusOr<config::AgentSettings> self = lifecycle::ReadSelf(paths);
  if (self.ok()) options.node_name = self->node_name;
  return options;
}

console::Member ConsoleMember(const config::Settings& s) {
  return {.pair = s.pair->name,
          .node = s.agent.node_name,
          .address = s.agent.node_address,
          .peer = s.agent.peer_name,
          .replicate_conntrack = s.pair->replicate_conntrack};
}

http_console::Options ConsoleOptions(const config::AgentSettings& agent) {
  return {.program = "zagent", .version = ZC_VERSION, .listen = agent.metrics_listen};
}

controller_link::Options ControllerOptions(const config::Settings& s,
                                           const lifecycle::Paths& paths) {
  return {.addresses = s.agent.controller->addresses,
          .enrolment = s.agent.controller->enrolment,
          .token_file = s.agent.controller->token_file,
          .allow = s.agent.controller->allow,
          .directory = paths.ControllerDir(),
          .pair = s.pair->name,
          .node = s.agent.node_name,
          .pair_files = TlsFiles(s, paths),
          .version = ZC_VERSION};
}

tls::Files TlsFiles(const config::Settings& s, const lifecycle::Paths& paths) {
  if (!s.agent.tls_given) return identity::FilesIn(paths.IdentityDir());
  return {s.agent.certificate, s.agent.key, s.agent.ca};
}

identity::Options IdentityOptions(const config::Settings& s, const lifecycle::Paths& paths) {
  return {.files = TlsFiles(s, paths),
          .directory = s.agent.tls_given ? "" : paths.IdentityDir(),
          .uri = tls::NodeUri(s.pair->name, s.agent.node_name),
          .lifetime = s.agent.certificate_lifetime};
}

config::Settings WithInterfaces(config::Settings s) {
  std::vector<std::string> vips;
  for (const config::Vip& vip : s.pair->vips) vips.push_back(vip.address);
  const auto addresses = machine::Addresses(vips);
  for (config::Vip& vip : s.pair->vips) {
    if (!vip.interface.empty()) continue;
    if (addresses.ok()) vip.interface = machine::InterfaceFor(*addresses, vip.address);
    if (vip.interface.empty()) vip.interface = s.agent.interface;
  }
  return s;
}

}  // namespace zcluster
