// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/digest.h"

#include <xxhash.h>

#include <type_traits>

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
  return XXH3_64bits(&content, sizeof content);
}

}  // namespace zcluster::conntrack
