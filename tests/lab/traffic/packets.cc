// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/packets.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

namespace zcluster::traffic {

Fd OpenRaw(int family, int protocol) {
  Fd fd(socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  if (!fd.valid()) DieErrno("a raw socket");
  return fd;
}

Fd OpenDatagrams(int family, uint16_t port) {
  Fd fd(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) DieErrno("socket");
  const int on = 1;
  if (family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  Endpoint any;
  any.address.ss_family = static_cast<sa_family_t>(family);
  // Both families have the port at the same place.
  reinterpret_cast<sockaddr_in*>(&any.address)->sin_port = htons(port);
  any.size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (bind(fd.get(), any.get(), any.size) != 0) DieErrno("bind to port " + std::to_string(port));
  return fd;
}

std::string TakePacket(int fd, bool raw, Endpoint& from) {
  std::array<char, 2048> bytes;
  from.size = sizeof from.address;
  const ssize_t size = recvfrom(fd, bytes.data(), bytes.size(), MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&from.address), &from.size);
  const ssize_t header = raw && from.family() == AF_INET ? (bytes[0] & 0xf) * 4 : 0;
  if (size <= header) return "";
  return std::string(bytes.data() + header, static_cast<size_t>(size - header));
}

namespace sctp {
namespace {

std::string Number(uint32_t number) {
  number = htonl(number);
  return std::string(reinterpret_cast<const char*>(&number), sizeof number);
}

// RFC 9260, appendix A: CRC32c, its bytes from the lowest to the highest.
std::string Checksum(const std::string& packet) {
  uint32_t crc = ~uint32_t{0};
  for (const char byte : packet) {
    crc ^= static_cast<uint8_t>(byte);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (0x82f63b78 & (~(crc & 1) + 1));
  }
  crc = ~crc;
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(crc >> (8 * i) & 0xff);
  return bytes;
}

}  // namespace

std::string Packet(uint16_t from, uint16_t to, uint32_t tag, char chunk, const std::string& body) {
  std::string packet =
      Number(static_cast<uint32_t>(from) << 16 | to) + Number(tag) + Number(0) +
      Number(static_cast<uint32_t>(chunk) << 24 | static_cast<uint32_t>(body.size() + 4)) + body;
  packet.resize((packet.size() + 3) / 4 * 4);
  return packet.replace(8, 4, Checksum(packet));
}

std::string Beginning(uint32_t tag) {
  return Number(tag) + Number(1 << 16) + Number(0x00010001) + Number(1);
}

std::string Answer(const std::string& packet, const std::string& name) {
  if (packet.size() < kHeader) return "";
  uint16_t ports[2];
  std::memcpy(ports, packet.data(), sizeof ports);
  const auto say = [&](char chunk, const std::string& body) {
    return Packet(ntohs(ports[1]), ntohs(ports[0]), kClientTag, chunk, body);
  };
  switch (packet[12]) {
    case kInit:
      return say(kInitAck, Beginning(kServerTag));
    case kCookieEcho:
      return say(kCookieAck, "");
    case kData:
      return say(kData, name);
    default:
      return "";
  }
}

}  // namespace sctp
}  // namespace zcluster::traffic
