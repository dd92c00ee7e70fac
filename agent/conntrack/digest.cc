// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/digest.h"

#include <xxhash.h>

#include <type_traits>

#include "agent/conntrack/expectation.h"

namespace zcluster::conntrack {
namespace {

// Byte order is the processor's: the nodes of a pair have the same.
struct Content {
  FlowKey key;
  Reply reply;
  uint32_t status;
  uint32_t mark;
};
static_assert(std::has_unique_object_representations_v<Content>);

}  // namespace

uint64_t DigestOf(const Flow& flow) {
  const Content content{flow.key, flow.reply, flow.status & kStatusBits, flow.mark};
  const uint64_t digest = XXH3_64bits(&content, sizeof content);
  return flow.rare ? XXH3_64bits_withSeed(flow.rare.get(), sizeof(Rare), digest) : digest;
}

uint64_t DigestOf(const Expectation& expectation) {
  return XXH3_64bits(&expectation.what, sizeof expectation.what);
}

}  // namespace zcluster::conntrack
