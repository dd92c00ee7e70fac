// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace zcluster {

// A question to all on an Ethernet wire, "who has this address?": by ARP (IPv4), or by neighbour
// discovery (IPv6). Whoever has the address must answer, whatever it filters, and neither question
// nor answer passes a firewall's or connection tracking's rules for IP. Needs root.
class NeighbourQuestion {
 public:
  // Asks for `address`. `source` is whose question it is, an IPv4 address of ours on that wire;
  // empty: the interface's first. IPv6 needs none. The error says what keeps us from asking, such
  // as an interface that is down.
  static absl::StatusOr<NeighbourQuestion> Ask(const std::string& interface,
                                               const std::string& address,
                                               const std::string& source = "");

  // Readable when something has come that may be the answer.
  int fd() const { return fd_.get(); }
  // Whether it was; never blocks.
  bool Answered() const;

 private:
  NeighbourQuestion() = default;
  absl::Status AskByArp(const std::string& interface, const std::string& source);
  absl::Status AskByDiscovery(const std::string& interface);

  UniqueFd fd_;
  bool v6_ = false;
  in_addr v4_address_ = {};
  in6_addr v6_address_ = {};
};

}  // namespace zcluster
