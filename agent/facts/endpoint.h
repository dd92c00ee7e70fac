// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace zcluster::facts {

// As the kernel wants it.
struct Endpoint {
  sockaddr_storage address = {};
  socklen_t length = 0;
};

// Of ADDRESS:PORT, an IPv6 address in brackets; nothing if it is none.
absl::optional<Endpoint> ParseEndpoint(absl::string_view text);

}  // namespace zcluster::facts
