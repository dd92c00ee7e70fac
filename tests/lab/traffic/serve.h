// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/lab/traffic/control.h"

namespace zcluster::traffic {

// A TCP client whose first bytes are these gets nothing of what follows them before it has ended
// its own direction, and then a byte each tenth of a second: a half-open connection that shows
// whether it lives. At most 256 KiB.
constexpr std::string_view kAnswerLater = "answer later\n";

// A backend: echoes every TCP connection and every UDP datagram at `port`, IPv4 and IPv6, until
// told to stop. Prints one line when it listens. Returns the process's exit code.
int Serve(uint16_t port, const std::string& name, Control& control);

}  // namespace zcluster::traffic
