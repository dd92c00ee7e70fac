// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/rare.h"

namespace zcluster::conntrack {
namespace {

// Takes over `parts`, which `to` does not have.
void TakeOver(const Rare& from, uint32_t parts, Rare& to) {
  if ((parts & Rare::kSctp) != 0) {
    to.sctp_state = from.sctp_state;
    to.original_tag = from.original_tag;
    to.reply_tag = from.reply_tag;
  }
  if ((parts & Rare::kLabels) != 0) to.labels = from.labels;
  if ((parts & Rare::kShift) != 0) {
    to.original_shift = from.original_shift;
    to.reply_shift = from.reply_shift;
  }
  if ((parts & Rare::kMaster) != 0) to.master = from.master;
  to.told |= parts;
}

RarePtr Share(const Rare& rare) {
  return rare == Rare{} ? nullptr : std::make_shared<const Rare>(rare);
}

}  // namespace

RarePtr Merge(const RarePtr& known, const RarePtr& news) {
  if (!known) return news;
  const uint32_t missing = news ? known->told & ~news->told : known->told;
  if (missing == 0) return news;
  Rare merged = news ? *news : Rare{};
  TakeOver(*known, missing, merged);
  return Share(merged);
}

RarePtr Without(const RarePtr& rare, uint32_t parts) {
  if (!rare || !rare->Has(parts)) return rare;
  Rare left = *rare;
  TakeOver(Rare{}, rare->told & parts, left);
  left.told = rare->told & ~parts;
  return Share(left);
}

}  // namespace zcluster::conntrack
