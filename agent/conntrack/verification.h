// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/conntrack/jobs.h"
#include "agent/conntrack/pairing.h"
#include "zcluster/v1/flows.pb.h"

namespace zcluster::conntrack {

// One comparison of this node's kernel with its peer's, whichever is the master.
struct Verification {
  Standing own;
  std::shared_ptr<grpc::Channel> peer;
  size_t shown = 20;                     // differences that are told, at most
  std::function<absl::Status()> settle;  // of a master: waits, see Pairing::settle
  std::function<void(std::string)> progress;
};

// Compares, in the network namespace of the calling thread, which it keeps busy for long: a job's.
// FAILED_PRECONDITION: the peer is no partner right now. INTERNAL: what it answers makes no sense.
absl::StatusOr<v1::VerifiedFlows> Verify(const Verification& verification, Halt& halt);

}  // namespace zcluster::conntrack
