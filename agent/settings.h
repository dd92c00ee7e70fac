// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/api/api.h"
#include "agent/arrival/arrival.h"
#include "agent/command/command.h"
#include "agent/config/config.h"
#include "agent/configsync/configsync.h"
#include "agent/conntrack/conntrack.h"
#include "agent/console/console.h"
#include "agent/controller_link/options.h"
#include "agent/core/types.h"
#include "agent/facts/facts.h"
#include "agent/facts/path.h"
#include "agent/health/health.h"
#include "agent/heartbeat/options.h"
#include "agent/identity/identity.h"
#include "agent/lifecycle/paths.h"
#include "agent/packetfilter/packetfilter.h"
#include "agent/peer/options.h"
#include "common/console/http_console.h"
#include "common/tls.h"

// What each room is told, of the settings of a node that is in a pair. Pure, but for the interfaces
// of VIPs and the ways to gateways, which the machine knows.
namespace zcluster {

core::Config BrainConfig(const config::Settings& s);
// As far as they do not depend on what is configured.
heartbeat::Options HeartbeatDirectories(const lifecycle::Paths& paths);
heartbeat::Options HeartbeatOptions(const config::Settings& s, const lifecycle::Paths& paths);
packetfilter::Options PacketFilterOptions(const config::Settings& s);
configsync::Options ConfigSyncOptions(const config::Settings& s, const lifecycle::Paths& paths);
command::Options CommandOptions(const config::Settings& s);
facts::PathTargets PathOptions(const config::Settings& s);  // s: as WithInterfaces gives it
facts::Options FactsOptions(const config::Settings& s, const lifecycle::Paths& paths);
health::Options HealthOptions(const config::Settings& s);  // s: likewise
arrival::Options ArrivalOptions(const config::Settings& s);
api::Options ApiOptions(const config::Settings& s, const lifecycle::Paths& paths);
// Of a node that is in no pair.
api::Options IdleApiOptions(const lifecycle::Paths& paths);
console::Member ConsoleMember(const config::Settings& s);
// Of the agent, in a pair or not.
http_console::Options ConsoleOptions(const config::AgentSettings& agent);
conntrack::Options ConntrackOptions(const config::Settings& s, const lifecycle::Paths& paths);
peer::Options LinkOptions(const config::Settings& s, const lifecycle::Paths& paths);
identity::Options IdentityOptions(const config::Settings& s, const lifecycle::Paths& paths);
// `s.agent.controller` must be there.
controller_link::Options ControllerOptions(const config::Settings& s,
                                           const lifecycle::Paths& paths);
tls::Files TlsFiles(const config::Settings& s, const lifecycle::Paths& paths);

// The same with every VIP's interface known: the one whose network holds the address on this node,
// else VRRP's.
config::Settings WithInterfaces(config::Settings s);

}  // namespace zcluster
