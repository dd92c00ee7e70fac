// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "agent/conntrack/flow.h"
#include "zcluster/v1/conntrack.pb.h"

// What of a flow must be the same in both kernels of a pair.
namespace zcluster::conntrack {

// The flow without what legitimately differs: timeout and id, liberal window tracking (every entry
// that is injected has it), the flags of TCP that packets change without an event, window
// scales that are not in force, and labels.
Flow Canonical(const Flow& flow);

// Makes one word of a flow. Whatever travels of a flow is in it, so that a new field of the wire is
// compared without being named here. One thread: it keeps its buffers.
class Imprint {
 public:
  struct Word {
    uint64_t low = 0;
    uint64_t high = 0;
    bool operator==(const Word&) const = default;
  };
  // Of a flow that is canonical: the XXH3-128 of its message.
  Word Of(const Flow& canonical);
  // The message itself, until the next call.
  const std::string& Bytes(const Flow& canonical);

 private:
  v1::Flow message_;
  std::string bytes_;
};

}  // namespace zcluster::conntrack
