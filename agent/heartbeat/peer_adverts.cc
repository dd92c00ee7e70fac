// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/peer_adverts.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <iterator>
#include <utility>

#include "common/vrrp.h"

namespace zcluster::heartbeat {
namespace {

// The kernel makes it as much as two or three packets need: that there is one is all that matters.
constexpr int kBuffer = 1;
// More than the buffer holds.
constexpr int kMaxPackets = 64;

// RFC 5798, 5.2: version 3, type 1 (advert) in the first octet, then router and priority. Zero says
// that a master leaves.
bool HearOnlyAdverts(int socket, in_addr_t from, int router_id) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 12),  // the source
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(from), 0, 10),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),  // TTL
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, vrrp::kTtl, 0, 8),
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),  // behind the IP header
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x31, 0, 5),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 1),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(router_id), 0, 3),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 2),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog filter = {.len = std::size(program), .filter = program};
  return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

// Takes out what is there.
bool Drain(int socket) {
  bool any = false;
  for (int i = 0; i < kMaxPackets; ++i) {
    char packet[1];  // the filter has read it
    if (::recv(socket, packet, sizeof packet, MSG_TRUNC) >= 0) {
      any = true;
    } else if (errno == EAGAIN) {
      break;
    }
  }
  return any;
}

}  // namespace

bool PeerAdverts::Open() {
  in_addr peer = {};
  if (::inet_pton(AF_INET, options_.peer_address.c_str(), &peer) != 1) return false;
  UniqueFd socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, vrrp::kProtocol));
  if (!socket || !HearOnlyAdverts(socket.get(), peer.s_addr, options_.router_id)) return false;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &kBuffer, sizeof kBuffer);
  // What came in before the filter was there may be anybody's.
  Drain(socket.get());
  socket_ = std::move(socket);
  router_id_ = options_.router_id;
  return true;
}

bool PeerAdverts::Take() {
  if (socket_ && router_id_ == options_.router_id) return Drain(socket_.get());
  socket_.Reset();
  Open();
  return false;
}

}  // namespace zcluster::heartbeat
