// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <net/ethernet.h>

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "agent/heartbeat/address.h"
#include "agent/heartbeat/options.h"
#include "common/loop.h"
#include "common/unique_fd.h"

namespace zcluster::heartbeat {

using HardwareAddress = std::array<uint8_t, ETH_ALEN>;

// A gratuitous ARP frame: "`ip` is at `from`", to everybody. As a request (RFC 5227, 3) and as a
// reply: there is gear that heeds only the one, or only the other. `ip` is IPv4.
std::string GratuitousArp(const Address& ip, const HardwareAddress& from, bool reply);

// An unsolicited neighbour advertisement with the override flag, to all nodes (RFC 4861, 7.2.6).
// `ip` is IPv6. `router` must say whether this node forwards: hosts that have it as their router
// drop it when told that it is none.
std::string UnsolicitedAdvertisement(const Address& ip, const HardwareAddress& from, bool router);

// Tells the network where the VIPs are: each at once, after one second and after five, in case a
// frame was lost or a switch was not ready. keepalived announces too; this is for the healed split,
// where it sees no transition, and for its lost ones. Paced: at most kBurst frames in kPause, so at
// most 2 frames for each VIP are kept. Interfaces that are not Ethernet have no neighbours to tell.
// Loop thread.
class Announcer {
 public:
  static constexpr int kBurst = 50;
  static constexpr absl::Duration kPause = absl::Milliseconds(10);

  Announcer(Loop& loop, std::vector<Vip> vips) : loop_(loop), vips_(std::move(vips)) {}

  // What is announced from the next round on.
  void SetVips(std::vector<Vip> vips) { vips_ = std::move(vips); }

  // Announces, from now on; a round that is under way is given up.
  void Begin();
  // Tells the neighbours once where `own` is, an address of this node itself; rounds go on as they
  // were.
  static void Introduce(const Vip& own);
  // Another node may be master: nothing more is sent.
  void End();

 private:
  struct Frame {
    int interface_index;
    std::string bytes;
  };
  // Queues a frame or two for each VIP, as the interfaces are now, and begins to send.
  void Round();
  // The frames of one address; none if its interface has no neighbours.
  static std::vector<Frame> FramesOf(const Vip& vip, int socket);
  static void SendFrame(const Frame& frame, int socket);
  void Send();

  Loop& loop_;
  std::vector<Vip> vips_;
  UniqueFd socket_;
  std::deque<Frame> frames_;
  Loop::Registration pause_;
  std::array<Loop::Registration, 2> again_;
};

}  // namespace zcluster::heartbeat
