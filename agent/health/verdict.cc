// SPDX-License-Identifier: Apache-2.0
#include "agent/health/verdict.h"

#include <algorithm>
#include <utility>

namespace zcluster::health {

bool Verdict::Add(bool passes, const std::string& evidence) {
  const int needed = passes ? rise_ : fall_;
  // More than needed says nothing more.
  in_a_row_ = passes == last_ ? std::min(in_a_row_ + 1, needed) : 1;
  last_ = passes;
  const State now = passes ? State::kPasses : State::kFails;
  if (in_a_row_ < needed) return false;
  const bool turns = std::exchange(state_, now) != now;
  if (!turns && (passes || evidence == evidence_)) return false;
  evidence_ = evidence;
  return true;
}

}  // namespace zcluster::health
