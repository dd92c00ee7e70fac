// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/time/time.h"

// What both ends of a join agree on.
namespace zcluster::bootstrap {

// The largest honest message holds the pair's configuration.
inline constexpr int kMaxMessageBytes = 256 << 10;
// A ping after so long without a word, and so long for its answer: a dead wire ends a join within
// four seconds. The server must allow what the client sends.
inline constexpr int kKeepaliveMs = 2000;
// A password is sent padded with zero bytes to this, so that nobody reads its length off the wire,
// and gRPC carries it in blocks that Scrubbing sees. PAM takes no longer one.
inline constexpr size_t kPasswordField = 512;

}  // namespace zcluster::bootstrap
