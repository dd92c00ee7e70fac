// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// The kernel's numbers of flows, as people write them. Pure.
namespace zcluster {

// "tcp"; "protocol 99" for one without a name. And back: 0 for a word that is none.
std::string ProtocolWord(uint32_t number);
uint32_t ProtocolOf(absl::string_view word);
// TCP_CONNTRACK_*: "ESTABLISHED"; UNKNOWN for what is none. And back.
std::string TcpStateWord(uint32_t state);
std::optional<uint32_t> TcpStateOf(absl::string_view word);

}  // namespace zcluster
