// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/canonical.h"

#include <xxhash.h>

#include "agent/conntrack/batch.h"

namespace zcluster::conntrack {

Flow Canonical(const Flow& flow) {
  Flow canonical = flow;
  canonical.timeout = 0;
  canonical.id = 0;
  // They may be replicated or not, and a kernel without a rule for them keeps none.
  canonical.rare = Without(flow.rare, Rare::kLabels);
  canonical.tcp = Lasting(flow.tcp);
  return canonical;
}

const std::string& Imprint::Bytes(const Flow& canonical) {
  message_.Clear();
  Write(canonical, message_);
  bytes_.clear();
  message_.AppendToString(&bytes_);
  return bytes_;
}

Imprint::Word Imprint::Of(const Flow& canonical) {
  const std::string& bytes = Bytes(canonical);
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

}  // namespace zcluster::conntrack
