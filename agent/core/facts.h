// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/core/state.h"

// What the machines themselves must be like for a failover to succeed: the facts that both nodes
// tell, judged side by side. Pure.
namespace zcluster::core {

// Names of facts. Those that end in a blank are followed by what they are about.
namespace fact {
inline constexpr absl::string_view kVersion = "version";  // of program and protocol
inline constexpr absl::string_view kGeneration = "configuration generation";
// A value of the kernel that the pair has alike; modules by name, "loaded" or "absent".
inline constexpr absl::string_view kSysctl = "sysctl ";
inline constexpr absl::string_view kModule = "module ";
inline constexpr absl::string_view kTableMaximum = "conntrack maximum";  // entries
inline constexpr absl::string_view kTableFill = "conntrack fill";        // percent, rounded down
// A network that VIPs are in: the interface that has it, empty if none has.
inline constexpr absl::string_view kNetwork = "network ";
// "reachable", or why not.
inline constexpr absl::string_view kBackend = "backend ";
// The same of an address of the peer's agent; told only if it has several.
inline constexpr absl::string_view kPeerLink = "link ";
// "heard" or "silent": VRRP packets of the peer, as they come in here.
inline constexpr absl::string_view kHeartbeat = "heartbeat";
// "heartbeat" or "link": empty, or a sentence that says which packet filter drops it and what to
// do.
inline constexpr absl::string_view kAdmission = "admission ";
// "alone", or a sentence that says who else sends adverts of the pair's router id.
inline constexpr absl::string_view kRouterId = "router id";
inline constexpr absl::string_view kDiskFree = "disk free";       // MiB, of the agent's state
inline constexpr absl::string_view kCertificate = "certificate";  // when it ends, seconds of Unix
// Number of connections to VIPs that end on the node itself.
inline constexpr absl::string_view kLocal = "local connections";
// Number of sets of files that were changed there, and overwritten by the other node's.
inline constexpr absl::string_view kKept = "files kept aside";
}  // namespace fact

// More than this and the clocks disagree; it takes no failover down, but logs and certificates
// mislead.
inline constexpr absl::Duration kClockSkew = absl::Seconds(1);

// The addresses of the peer's agent that do not answer this node, although the link lives over
// another; one sentence, empty if there is none.
std::string LinkWarning(const State& state);

// Who else uses the pair's router id, as `facts` say; empty: nobody.
std::string StrangerIn(const std::vector<Fact>& facts);

// One precondition for each subject that both nodes (or, of what concerns one alone, that node)
// have told: an older peer that does not tell a fact is not held to it. What is alike is one line;
// what differs is a line each.
std::vector<Precondition> FactPreconditions(const State& state);

}  // namespace zcluster::core
