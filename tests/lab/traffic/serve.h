// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "tests/lab/traffic/control.h"

namespace zcluster::traffic {

// A backend: echoes every TCP connection and every UDP datagram at `port`, IPv4 and IPv6, until
// told to stop. Prints one line when it listens. Returns the process's exit code.
int Serve(uint16_t port, const std::string& name, Control& control);

}  // namespace zcluster::traffic
