// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/conntrack/flow_key.h"
#include "common/status.h"

// The fields of which messages about flows are made, each bounded when it is read.
namespace zcluster::conntrack {

uint32_t V4(const Address& address);
Address FromV4(uint32_t number);
std::string V6(const Address& address);

// INVALID_ARGUMENT: "field: expected …".
absl::Status Wrong(absl::string_view field, absl::string_view expected);

absl::Status ReadPort(uint32_t value, absl::string_view field, uint16_t& port);
absl::Status ReadV6(const std::string& bytes, absl::string_view field, Address& address);
// Printable characters without a space, as the kernel's names are; fewer than `size`.
absl::Status CheckName(absl::string_view name, absl::string_view field, size_t size);
// The same, ended by zeroes.
template <size_t size>
absl::Status ReadName(const std::string& text, absl::string_view field,
                      std::array<char, size>& name) {
  ZC_RETURN_IF_ERROR(CheckName(text, field, size));
  std::copy(text.begin(), text.end(), name.begin());
  return absl::OkStatus();
}

// `key` has its family already.
absl::Status ReadProtocol(uint32_t protocol, FlowKey& key);

// A Flow's original direction, or a FlowTuple: they name their fields alike.
template <typename Message>
absl::Status ReadTuple(const Message& message, FlowKey& key) {
  const bool v4 = message.has_source_v4();
  if (v4 != message.has_destination_v4()) return Wrong("source_v4, destination_v4", "both or none");
  if (v4) {
    if (!message.source_v6().empty() || !message.destination_v6().empty())
      return Wrong("source", "one family");
    key.source = FromV4(message.source_v4());
    key.destination = FromV4(message.destination_v4());
  } else {
    key.family = AF_INET6;
    ZC_RETURN_IF_ERROR(ReadV6(message.source_v6(), "source_v6", key.source));
    ZC_RETURN_IF_ERROR(ReadV6(message.destination_v6(), "destination_v6", key.destination));
  }
  ZC_RETURN_IF_ERROR(ReadProtocol(message.protocol(), key));
  ZC_RETURN_IF_ERROR(ReadPort(message.source_port(), "source_port", key.source_port));
  ZC_RETURN_IF_ERROR(
      ReadPort(message.destination_port(), "destination_port", key.destination_port));
  if (key.ports() == PortKind::kNone && (key.source_port | key.destination_port) != 0)
    return Wrong("source_port, destination_port", "0 for this protocol");
  return absl::OkStatus();
}

template <typename Message>
void WriteTuple(const FlowKey& key, Message& message) {
  message.set_protocol(key.protocol);
  if (key.family == AF_INET) {
    message.set_source_v4(V4(key.source));
    message.set_destination_v4(V4(key.destination));
  } else {
    message.set_source_v6(V6(key.source));
    message.set_destination_v6(V6(key.destination));
  }
  message.set_source_port(key.source_port);
  message.set_destination_port(key.destination_port);
}

}  // namespace zcluster::conntrack
