// SPDX-License-Identifier: Apache-2.0
#include "agent/events/kept.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_format.h"

namespace zcluster::events {

std::string MakeId() {
  absl::BitGen random;
  return absl::StrFormat("%016x%016x", absl::Uniform<uint64_t>(random),
                         absl::Uniform<uint64_t>(random));
}

bool AddIfItFits(v1::Event event, size_t limit, size_t& bytes, v1::EventBatch& batch) {
  if (static_cast<size_t>(batch.events_size()) >= std::min(limit, kMaxBatchEvents)) return false;
  const size_t more = event.ByteSizeLong();
  if (bytes + more > kMaxBatchBytes) return false;
  bytes += more;
  *batch.add_events() = std::move(event);
  return true;
}

}  // namespace zcluster::events
