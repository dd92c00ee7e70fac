// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace zcluster::lifecycle {

// Where this agent keeps what it is. All can be moved, so that several agents run on one machine.
struct Paths {
  std::string agent_file = "/etc/zcluster/agent.yaml";
  std::string pair_file = "/etc/zcluster/pair.yaml";
  std::string state_dir = "/var/lib/zcluster";
  std::string run_dir = "/run/zcluster";

  std::string JournalFile() const { return state_dir + "/journal.yaml"; }
  std::string IdentityDir() const { return state_dir + "/tls"; }
  // This node's identity in a controller's fleet.
  std::string ControllerDir() const { return state_dir + "/controller"; }
  // What both nodes last held alike, of each root; and what was kept aside of this node's files.
  std::string AgreedDir() const { return state_dir + "/agreed"; }
  std::string ConflictsDir() const { return state_dir + "/conflicts"; }
  std::string StoreFile() const { return state_dir + "/state.db"; }
  std::string EventsFile() const { return state_dir + "/events.db"; }
  // A configuration that the peer proposed and has not committed yet.
  std::string ProposalFile() const { return pair_file + ".proposed"; }
};

}  // namespace zcluster::lifecycle
