// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/strangers.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/core/facts.h"
#include "common/vrrp.h"

namespace zcluster::facts {
namespace {

constexpr size_t kSourceAt = 12;   // in an IPv4 header: RFC 791, 3.1
constexpr size_t kEnough = 20;     // bytes of a packet: its IPv4 header
constexpr int kMaxPackets = 4096;  // a look; more than that the socket's buffer does not hold
// The Ethernet address of VRRP's group: a card need not take it for us.
constexpr std::array<uint8_t, ETH_ALEN> kGroup = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x12};

std::optional<uint32_t> Numeric(const std::string& text) {
  in_addr address = {};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

// Adverts of that router from anybody but the two wake nobody else and cost one look.
bool Filter(int socket, const Strangers::Target& target) {
  const std::optional<uint32_t> own = Numeric(target.address);
  const std::optional<uint32_t> peer = Numeric(target.peer_address);
  if (!own || !peer) return false;
  const auto router = static_cast<uint32_t>(target.router_id);
  // The last two instructions take and refuse; jumps count from the next one.
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),                       // protocol
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, vrrp::kProtocol, 0, 9),  //
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),                       // fragments
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 7, 0),          //
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSourceAt),               //
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, *own, 5, 0),             //
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, *peer, 4, 0),            //
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),                      // length of the header
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 1),                       // router id
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, router, 0, 1),           //
      BPF_STMT(BPF_RET | BPF_K, kEnough),                          //
      BPF_STMT(BPF_RET | BPF_K, 0),                                //
  };
  const sock_fprog program = {static_cast<uint16_t>(std::size(code)), code};
  return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

}  // namespace

void Strangers::Aim(const Target& target) {
  if (target == target_) return;
  target_ = target;
  socket_.Reset();
  heard_.clear();
}

bool Strangers::Open() {
  const auto index = static_cast<int>(::if_nametoindex(target_.interface.c_str()));
  if (socket_) {
    // An interface that was made anew has another number: the old socket hears nothing any more.
    sockaddr_ll bound = {};
    socklen_t size = sizeof(bound);
    if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
        bound.sll_ifindex == index)
      return true;
    socket_.Reset();
  }
  if (index == 0) return false;
  // Of no protocol before it is filtered and bound, or what others send would be in it.
  UniqueFd socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || !Filter(socket.get(), target_)) return false;
  sockaddr_ll wire = {};
  wire.sll_family = AF_PACKET;
  wire.sll_protocol = htons(ETH_P_IP);
  wire.sll_ifindex = index;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&wire), sizeof(wire)) != 0) return false;
  packet_mreq group = {};
  group.mr_ifindex = index;
  group.mr_type = PACKET_MR_MULTICAST;
  group.mr_alen = kGroup.size();
  std::memcpy(group.mr_address, kGroup.data(), kGroup.size());
  if (::setsockopt(socket.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)) != 0)
    return false;
  socket_ = std::move(socket);
  return true;
}

std::optional<core::Fact> Strangers::Look(Clock::time_point now) {
  if (!Open()) return std::nullopt;
  for (int i = 0; i < kMaxPackets; ++i) {
    std::array<uint8_t, kEnough> header;
    const ssize_t size = ::recv(socket_.get(), header.data(), header.size(), 0);
    if (size < 0) break;
    if (static_cast<size_t>(size) < header.size()) continue;
    std::array<char, INET_ADDRSTRLEN> text = {};
    ::inet_ntop(AF_INET, header.data() + kSourceAt, text.data(), text.size());
    heard_ = text.data();
    heard_at_ = now;
  }
  if (now - heard_at_ > kForgetAfter) heard_.clear();
  return core::Fact{std::string(core::fact::kRouterId),
                    heard_.empty() ? "alone"
                                   : absl::StrCat(heard_, " on ", target_.interface,
                                                  " sends VRRP adverts of router id ",
                                                  target_.router_id, ", too")};
}

}  // namespace zcluster::facts
