// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/lab/traffic/net.h"

// Packets that are made by hand.
namespace zcluster::traffic {

// A raw socket for `protocol`, or a UDP one bound to `port`, that does not block.
Fd OpenRaw(int family, int protocol);
Fd OpenDatagrams(int family, uint16_t port);

// What came next, without its IPv4 header if `raw`, and from where; empty: nothing.
std::string TakePacket(int fd, bool raw, Endpoint& from);

namespace sctp {

// Chunk types, RFC 9260.
constexpr char kData = 0, kInit = 1, kInitAck = 2, kCookieEcho = 10, kCookieAck = 11;
constexpr uint32_t kClientTag = 0x11111111, kServerTag = 0x22222222;
constexpr size_t kHeader = 16;  // the common header and one chunk's

// One chunk, with the checksum that RFC 9260 asks for.
std::string Packet(uint16_t from, uint16_t to, uint32_t tag, char chunk, const std::string& body);
// The body of an INIT or INIT ACK.
std::string Beginning(uint32_t tag);
// What a server with this name says to `packet`, or nothing.
std::string Answer(const std::string& packet, const std::string& name);

}  // namespace sctp
}  // namespace zcluster::traffic
