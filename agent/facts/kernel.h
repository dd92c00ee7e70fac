// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/types.h"

// What the kernel says of this machine, in the network namespace of the calling thread. What cannot
// be read is left out.
namespace zcluster::facts {

struct Vip {
  std::string address;  // canonical, without prefix length
  int prefix_length = 0;
};

// The values that decide how a node forwards and tracks: those that this kernel has.
std::vector<core::Fact> Sysctls();

// Modules without which some connections break: "loaded" or "absent". One that is built in may look
// absent.
std::vector<core::Fact> Modules();

// For each network of `vips` that holds more than one address, at most 32: an interface that is up
// and has an address in it that is not a VIP; else an empty value.
std::vector<core::Fact> Networks(const std::vector<Vip>& vips);

// Connection tracking's table.
struct ConntrackTable {
  std::optional<uint64_t> maximum;
  std::optional<uint64_t> fill_percent;  // rounded down; over 100 if the maximum was lowered
};
ConntrackTable ReadConntrackTable();

// MiB that are free for us where `path` is, in steps of 16 from 64 on, at most 1,024.
std::optional<uint64_t> DiskFree(const std::string& path);

// TCP connections that stand and whose address on this machine is one of `vips`.
std::optional<uint64_t> LocalConnections(const std::vector<Vip>& vips);
// The same of a text as /proc/net/tcp or tcp6 has it. Pure.
uint64_t CountConnections(const std::string& table, const std::vector<Vip>& vips);

}  // namespace zcluster::facts
