// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace zcluster {

// gRPC stays as it is until the process ends. Else, with gRPC 1.51:
// - the end of the last channel ends gRPC, which may wait ten seconds for its own threads;
// - a call may be the last to hold a channel, and ends on one of gRPC's threads for callbacks. With
//   the last channel and server they end, too; that one then waits for itself, in vain, and dies of
//   what it has freed (completion_queue_cc.cc, CallbackAlternativeCQ::Unref).
// For the beginning of a program that makes calls with callbacks. Any thread, any number of times.
void KeepGrpc();

}  // namespace zcluster
