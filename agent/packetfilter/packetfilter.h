// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/adapter.h"

namespace zcluster::packetfilter {

// Addresses are in canonical form and names are as the kernel allows: the configuration has checked
// both.
struct Options {
  std::string address;                      // this node's, IPv4
  std::string peer_address;                 // the other node's, IPv4
  std::string interface;                    // VRRP's
  int link_port = 7700;                     // where both agents listen
  std::vector<std::string> link_addresses;  // the peer's on the link, IPv4 or IPv6
  std::vector<std::string> vips;
  std::string nft = "/usr/sbin/nft";
};

// The ruleset of our own table, as nft reads it: replaces an older one in one transaction. Pure.
std::string Render(const Options& options);

// Owns nftables' table `inet zcluster`: VRRP and the link between the agents stay out of connection
// tracking (a full table would drop adverts), VRRP from strangers is dropped, and so are packets to
// a VIP that connection tracking cannot place, lest this node's own TCP resets connections that it
// does not know yet. Loaded at Start, left in place at Stop: it must hold while the agent is away.
// No events, no actions. Loop thread.
class PacketFilter : public Adapter {
 public:
  explicit PacketFilter(Options options);

  // Waits for nft, at most 5 s. The error has nft's words.
  absl::Status Start(EventSink& events) override;

  // The table of other options in the old one's place, in one transaction: no packet sees neither
  // or half of it. On an error, which has nft's words, the old one stays. Waits for nft, some 10 ms
  // and at most 2 s: the peer does not take that for silence.
  absl::Status Reconfigure(Options options);
  // Deletes the table; no error if there is none. Waits as Reconfigure() does.
  absl::Status Remove();

  void Perform(const core::Action&) override {}
  void Stop() override {}

 private:
  absl::Status Load(const std::string& ruleset, absl::Duration limit) const;

  Options options_;
};

}  // namespace zcluster::packetfilter
