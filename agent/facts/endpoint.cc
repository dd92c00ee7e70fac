// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace zcluster::facts {

absl::optional<Endpoint> ParseEndpoint(absl::string_view text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) ||
      port > 65535) {
    return absl::nullopt;
  }
  absl::string_view part = text.substr(0, colon);
  absl::ConsumePrefix(&part, "[");
  absl::ConsumeSuffix(&part, "]");
  const std::string host(part);
  Endpoint to;
  auto& v4 = reinterpret_cast<sockaddr_in&>(to.address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(to.address);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<uint16_t>(port));
    to.length = sizeof(v4);
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<uint16_t>(port));
    to.length = sizeof(v6);
  } else {
    return absl::nullopt;
  }
  return to;
}

}  // namespace zcluster::facts
