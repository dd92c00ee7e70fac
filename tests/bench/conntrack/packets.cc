// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/conntrack/packets.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/status.h"
#include "common/unique_fd.h"
#include "tests/bench/conntrack/numbering.h"

namespace zcluster::conntrack_bench {
namespace {

struct Packet {
  iphdr ip{};
  udphdr udp{};
};

// A raw socket: the source of each packet is another.
class RawPackets : public Packets {
 public:
  explicit RawPackets(UniqueFd fd) : fd_(std::move(fd)) {
    to_.sin_family = AF_INET;
    to_.sin_addr.s_addr = htonl(kService);
    for (size_t i = 0; i < kBatch; ++i) {
      Packet& packet = packets_[i];
      packet.ip.version = 4;
      packet.ip.ihl = sizeof(iphdr) / 4;
      packet.ip.ttl = 64;
      packet.ip.protocol = IPPROTO_UDP;
      packet.ip.daddr = htonl(kService);
      packet.ip.tot_len = htons(sizeof(Packet));
      packet.udp.dest = htons(kServicePort);
      packet.udp.len = htons(sizeof(udphdr));
      parts_[i] = {&packet, sizeof packet};
      messages_[i].msg_hdr.msg_name = &to_;
      messages_[i].msg_hdr.msg_namelen = sizeof to_;
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  absl::Status Send(uint64_t first, size_t count) override {
    for (size_t i = 0; i < count; ++i) {
      packets_[i].ip.saddr = htonl(ClientOf(first + i));
      packets_[i].udp.source = htons(PortOf(first + i));
    }
    for (size_t sent = 0; sent < count;) {
      const int now =
          ::sendmmsg(fd_.get(), messages_.data() + sent, static_cast<unsigned>(count - sent), 0);
      if (now < 0 && errno == EINTR) continue;
      if (now <= 0) return ErrnoStatus("cannot send packets");
      sent += static_cast<size_t>(now);
    }
    return absl::OkStatus();
  }

 private:
  const UniqueFd fd_;
  sockaddr_in to_{};
  std::array<Packet, kBatch> packets_;
  std::array<iovec, kBatch> parts_{};
  std::array<mmsghdr, kBatch> messages_{};
};

}  // namespace

absl::StatusOr<std::unique_ptr<Packets>> Packets::Open() {
  UniqueFd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!fd) return ErrnoStatus("cannot open a raw socket (are we root?)");
  return std::make_unique<RawPackets>(std::move(fd));
}

}  // namespace zcluster::conntrack_bench
