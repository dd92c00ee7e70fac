// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/core/advert_interval.h"

namespace zcluster::heartbeat {

// An address that moves with the master.
struct Vip {
  std::string address;    // IPv4 or IPv6 with its prefix length: "192.0.2.10/24"
  std::string interface;  // where the master has it
};

// What the pair's VRRP looks like from this node, and where it keeps its files. Plain text;
// Validate() says whether keepalived could be given it.
struct Options {
  std::string node_name;
  std::string interface;     // where adverts are sent
  std::string address;       // this node's IPv4 address on it
  std::string peer_address;  // the peer's
  int router_id = 51;        // VRRP's virtual router id, 1 to 255; unique on the wire
  core::AdvertInterval advert_interval;
  bool multicast = false;  // adverts go to VRRP's group, else to the peer alone
  std::vector<Vip> vips;

  std::string state_dir = "/var/lib/zcluster/heartbeat";  // survives a reboot
  std::string run_dir = "/run/zcluster";                  // does not
  std::string keepalived = "/usr/sbin/keepalived";

  std::string ConfigPath() const { return state_dir + "/keepalived.conf"; }
  // Exists from the time that a new configuration is checked until keepalived was told of it: see
  // supervisor.h.
  std::string CandidatePath() const { return state_dir + "/keepalived.conf.new"; }
  // What is asked about, and no more; with a number behind it.
  std::string ProposalPath() const { return state_dir + "/keepalived.conf.proposal"; }
  std::string FaultPath() const { return state_dir + "/fault"; }
  std::string LeasePath() const { return state_dir + "/lease"; }
  std::string LeaseScriptPath() const { return state_dir + "/end-lease"; }
  std::string StandingPath() const { return state_dir + "/standing"; }
  std::string PidPath() const { return run_dir + "/keepalived.pid"; }
  std::string VrrpPidPath() const { return run_dir + "/keepalived-vrrp.pid"; }
  std::string CheckersPidPath() const { return run_dir + "/keepalived-checkers.pid"; }
  std::string FifoPath() const { return run_dir + "/notify.fifo"; }
  std::string LogPath() const { return run_dir + "/keepalived.log"; }
  std::string ReloadCheckLogPath() const { return run_dir + "/keepalived-reload.log"; }
};

// The one address that adverts carry: 169.254.77.ROUTER_ID/32 on lo, on both nodes the same
// whatever the VIPs are. Nodes whose advertised lists differ would both be master for as long as
// they do; and whoever has it is master.
Vip AnchorOf(const Options& options);

// What a node that goes from `before` to `after` must not have any more: VIPs, and the anchor. One
// whose prefix length alone differs stays.
std::vector<Vip> AddressesLost(const Options& before, const Options& after);

// INVALID_ARGUMENT, naming the option, if `options` cannot be: an address that is none, a name that
// keepalived would misread.
absl::Status Validate(const Options& options);

}  // namespace zcluster::heartbeat
