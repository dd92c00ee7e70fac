// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/adapter.h"
#include "common/loop.h"
#include "common/unique_fd.h"

// When did a promotion reach the network?
namespace zcluster::arrival {

struct Options {
  std::string peer_address;       // IPv4: whose adverts count
  std::vector<std::string> vips;  // IPv4 and IPv6, without prefix length
};

// After each Announce it reports NetworkSeen: how long before it the peer's last advert came, when
// all VIPs were on their interfaces, and when the first packet to one of them came. Measures, and
// is in nobody's way: what cannot be measured is not told. Loop thread.
class Arrival : public Adapter {
 public:
  // What has not been seen after this is not told.
  static constexpr absl::Duration kPatience = absl::Seconds(10);
  // Nor is it after so many packets to other addresses: a node that forwards much has better to do.
  static constexpr int kMaxPackets = 20'000;

  // `loop` outlives it.
  Arrival(Loop& loop, Options options);
  ~Arrival() override;

  // Always OK: without the right to listen (CAP_NET_RAW) it is said in the log, and nothing is
  // told.
  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  void Stop() override;
  void Reconfigure(Options options);

 private:
  void TakeOptions(Options options);
  void ReadAdverts();
  void Begin();
  void LookForVips();
  void ReadPackets();
  void Tell(core::NetworkSeen::What what, absl::Time at);

  Loop& loop_;
  in_addr peer_ = {};
  std::set<std::string> vips_;  // their bytes
  EventSink* events_ = nullptr;

  UniqueFd adverts_;
  Loop::Registration watch_adverts_;
  absl::Time last_advert_ = absl::InfinitePast();  // by the wall clock, as the kernel took it

  absl::Time begun_;  // of the Announce; by the wall clock
  UniqueFd packets_;
  int packets_left_ = 0;
  Loop::Registration watch_packets_;
  Loop::Registration look_for_vips_;
  Loop::Registration patience_;
};

}  // namespace zcluster::arrival
