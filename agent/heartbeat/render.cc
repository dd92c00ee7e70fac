// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/render.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "absl/time/time.h"
#include "agent/core/types.h"

namespace zcluster::heartbeat {
namespace {

// What is behind each line, and would not be guessed:
// - script_user and enable_script_security stand before vrrp_notify_fifo, else the first SIGHUP
// closes the FIFO for ever.
// - router_id is a mere label, but without one keepalived asks the resolver for this machine's name,
// and neither starts nor checks anything before that has answered or given up.
// - vrrp_priority is a nice value, which holds 10 ms adverts under load. Never vrrp_rt_priority:
// with it keepalived sets
//   itself a limit of CPU time, and is killed by it after some reloads, VIPs and all.
// - higher_prio_send_advert and garp_lower_prio make the survivor of a healed split tell the
// network, each time.
// - A second round of announcements one second later is for the time when the agent is dead; ours
// are in announce.h.
// - reload_check_config: a second belt, below our own check before each SIGHUP.
constexpr char kGlobal[] =
    R"(# Written by zagent of node $0 at each change of the configuration. Changes made here are lost.
global_defs {
  router_id zcluster
  script_user root
  enable_script_security
  vrrp_notify_fifo $1
  vrrp_version 3
  vrrp_priority -20
  vrrp_no_swap
  vrrp_higher_prio_send_advert true
  vrrp_garp_master_delay 1
  vrrp_garp_master_repeat 1
  vrrp_garp_lower_prio_delay 0
  vrrp_garp_lower_prio_repeat 1
  reload_check_config $2
}

# Ends a FAULT whose lease is over. Run by the shell: the file need not be there when this is checked.
# With a weight: without one, a script that cannot be run would be a FAULT itself.
vrrp_script lease {
  script "/bin/sh $5"
  interval 1
  timeout 1
  weight -1
}

# 1: stand aside. Weight 0 makes it a FAULT, which the peer hears of at once.
track_file fault {
  file "$3"
  weight 0
}

# 0, 1 or 2 above the priority of a standby: who was promoted last.
track_file standing {
  file "$4"
  weight 1
}
)";

// The anchor has scope host: the first global IPv4 address of the node stays its own, on the master
// too. One instance for both families: two in a sync group can each yield to the other's, and
// nobody serves. nopreempt: who returns never takes over by itself. TTL 255 comes from no further
// than the same wire.
constexpr char kInstanceHead[] = R"(
vrrp_instance $0 {
  version 3
  state BACKUP
  nopreempt
  interface $1
  virtual_router_id $2
  priority $3
  advert_int $4
$5  track_file {
    fault
    standing
  }
  track_script {
    lease
  }
  virtual_ipaddress {
    $6
  }
)";

constexpr char kUnicast[] = R"(  unicast_src_ip $0
  unicast_ttl 255
  check_unicast_src
  unicast_peer {
    $1 min_ttl 255 max_ttl 255
  }
)";

// Of multicast keepalived takes TTL 255 alone by itself; strangers' adverts the packet filter
// drops.
constexpr char kMulticast[] = R"(  mcast_src_ip $0
)";

// As keepalived reads it: seconds with two digits, which is as fine as VRRPv3 has it.
std::string Seconds(absl::Duration interval) {
  return absl::StrFormat("%.2f", absl::ToDoubleSeconds(interval));
}

std::string Line(const Vip& vip) { return absl::StrCat(vip.address, " dev ", vip.interface); }

}  // namespace

std::string Render(const Options& options) {
  std::string text =
      absl::Substitute(kGlobal, options.node_name, options.FifoPath(), options.ReloadCheckLogPath(),
                       options.FaultPath(), options.StandingPath(), options.LeaseScriptPath());
  absl::StrAppend(&text,
                  absl::Substitute(kInstanceHead, kInstance, options.interface, options.router_id,
                                   static_cast<int>(core::Standing::kStandby),
                                   Seconds(options.advert_interval.duration()),
                                   absl::Substitute(options.multicast ? kMulticast : kUnicast,
                                                    options.address, options.peer_address),
                                   Line(AnchorOf(options)) + " scope host"));
  if (!options.vips.empty()) {
    absl::StrAppend(&text, "  virtual_ipaddress_excluded {\n");
    for (const Vip& vip : options.vips) absl::StrAppend(&text, "    ", Line(vip), "\n");
    absl::StrAppend(&text, "  }\n");
  }
  absl::StrAppend(&text, "}\n");
  return text;
}

std::vector<Vip> AddressesIn(absl::string_view config) {
  std::vector<Vip> vips;
  bool within = false;
  for (absl::string_view line : absl::StrSplit(config, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.empty()) continue;
    if (absl::StartsWith(words[0], "virtual_ipaddress")) within = true;
    if (words[0] == "}") within = false;
    if (within && words.size() >= 3 && words[1] == "dev") vips.push_back({words[0], words[2]});
  }
  return vips;
}

}  // namespace zcluster::heartbeat
