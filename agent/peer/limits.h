// SPDX-License-Identifier: Apache-2.0
#pragma once

// What both ends of the peer's connections agree on.
namespace zcluster::peer {

// A ping after so long without a word, and so long for its answer. gRPC's least is 10 ms for the
// client; the server must allow what the client sends, else it ends the connection with "too many
// pings".
inline constexpr int kKeepaliveMs = 1000;
// Flow batches and pieces of files are far smaller.
inline constexpr int kMaxMessageBytes = 4 << 20;

}  // namespace zcluster::peer
