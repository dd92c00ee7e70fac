// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/release.h"

#include <cerrno>

#include "absl/container/flat_hash_set.h"
#include "agent/conntrack/expectation_message.h"
#include "common/log.h"

namespace zcluster::conntrack {

void Release(KernelWriter& writer, const std::vector<Flow>& flows, const Timeouts& timeouts) {
  absl::flat_hash_set<FlowKey> fixed;
  const auto flush = [&] {
    for (const KernelWriter::Refusal& refusal : writer.Flush()) {
      if (refusal.verb == Verb::kTimeout && refusal.error == EPERM) fixed.insert(refusal.key);
    }
  };
  const auto add = [&](Verb verb, const Flow& flow, uint32_t timeout) {
    if (writer.Full()) flush();
    writer.Add(verb, flow, timeout);
  };
  for (const Flow& flow : flows) {
    if (IsHeld(flow.timeout)) add(Verb::kTimeout, flow, timeouts.Of(flow));
  }
  flush();
  if (fixed.empty()) return;
  for (const Flow& flow : flows) {
    if (!fixed.contains(flow.key)) continue;
    add(Verb::kDelete, flow, 0);
    add(Verb::kCreate, flow, kGreLife);
  }
  flush();
}

void ReleaseExpectations(KernelWriter& writer, const ExpectationTable* known) {
  const absl::StatusOr<std::vector<Expectation>> found = ListExpectations();
  if (!found.ok()) {
    log::Warning("conntrack_release_failed", {{"error", std::string(found.status().message())}});
    return;
  }
  for (const Expectation& expectation : *found) {
    if (!IsHeldExpectation(expectation.timeout)) continue;
    const uint32_t own = known == nullptr
                             ? kExpectationLife
                             : known->TimeoutOf(expectation.what.key, kExpectationLife);
    if (writer.Full()) writer.Flush();
    writer.Add(Verb::kExpectTimeout, expectation, own);
  }
  writer.Flush();
}

}  // namespace zcluster::conntrack
