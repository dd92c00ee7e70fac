// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include "agent/conntrack/conntrack.h"
#include "agent/conntrack/kernel.h"
#include "agent/conntrack/kernel_writer.h"
#include "agent/conntrack/release.h"
#include "agent/conntrack/snapshot.h"
#include "agent/conntrack/timeouts.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

// Whoever held them holds them no more, and no promotion will come.
absl::Status ReleaseAll() {
  ZC_ASSIGN_OR_RETURN(KernelWriter writer, KernelWriter::Open());
  const Timeouts timeouts = Timeouts::Read();
  Snapshot table;
  ZC_RETURN_IF_ERROR(table.Begin());
  absl::StatusOr<bool> more = true;
  while (more.ok() && *more) {
    std::vector<Flow> part;
    more = table.Next(part);
    Release(writer, part, timeouts);
  }
  ReleaseExpectations(writer, nullptr);
  return more.status();
}

}  // namespace

absl::Status GiveBack(const Options& options) {
  // Without connection tracking there is nothing to release.
  if (const absl::Status released = ReleaseAll(); !released.ok())
    log::Warning("conntrack_release_failed", {{"error", std::string(released.message())}});
  return RestoreEvents(options.state_file);
}

}  // namespace zcluster::conntrack
