// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/canonical.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <xxhash.h>

#include "agent/conntrack/batch.h"

namespace zcluster::conntrack {

Flow Canonical(const Flow& flow) {
  Flow canonical = flow;
  canonical.timeout = 0;
  canonical.id = 0;
  // They may be replicated or not, and a kernel without a rule for them keeps none.
  canonical.rare = Without(flow.rare, Rare::kLabels);
  // The rest (data that waits for an ACK, the highest ACK) follows packets, of which the backup
  // sees none.
  constexpr uint8_t kNegotiated =
      IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_CLOSE_INIT;
  Tcp& tcp = canonical.tcp;
  tcp.original_flags &= kNegotiated;
  tcp.reply_flags &= kNegotiated;
  // Scales count only if both sides offered one (RFC 7323, 2.2); the kernel takes them only then.
  if ((tcp.original_flags & tcp.reply_flags & IP_CT_TCP_FLAG_WINDOW_SCALE) == 0) {
    tcp.original_scale = 0;
    tcp.reply_scale = 0;
  }
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
