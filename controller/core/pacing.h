// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "zcluster/v1/fleet_link.pb.h"

// How long agents wait before they come back, so that a fleet does not come back all at once. Pure.
namespace zcluster::controller {

// Handshakes a second that a controller is asked for when all agents return: each costs it about
// half a millisecond of one core (ECDSA, TLS 1.3), so that a quarter of one core is spent.
inline constexpr size_t kConnectsPerSecond = 500;

// For an agent that is let in to a fleet of so many: should its stream break by itself.
v1::Pacing PacingFor(size_t agents);

// For all of them, from a controller that stops: it needs a moment until it is there again.
v1::Pacing PacingOfAStop(size_t agents);

}  // namespace zcluster::controller
