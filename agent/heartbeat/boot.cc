// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/boot.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/core/boot_gate.h"
#include "agent/heartbeat/address.h"
#include "agent/heartbeat/fault.h"
#include "agent/heartbeat/process.h"
#include "agent/heartbeat/render.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::heartbeat {

absl::StatusOr<std::string> CloseBootGate(const Options& options) {
  const absl::StatusOr<std::string> config = ReadFile(options.ConfigPath());
  if (absl::IsNotFound(config.status())) return "this node has no configuration for keepalived";
  ZC_RETURN_IF_ERROR(config.status());
  const std::vector<FoundProcess> running = FindAllProcesses(options);
  if (!running.empty()) return absl::StrCat("keepalived runs (", running.front().pid, ")");
  // They would be on two nodes: the peer may serve by now.
  ZC_RETURN_IF_ERROR(RemoveAddresses(AddressesIn(*config)));
  ZC_RETURN_IF_ERROR(MakeDirectories(options.run_dir, 0700));
  RemoveStalePidFiles(options);
  Fault fault(options);
  ZC_RETURN_IF_ERROR(fault.Prepare());
  if (fault.FoundLasting())
    return "this node stands aside until it is told otherwise (maintenance)";
  ZC_RETURN_IF_ERROR(fault.Set(core::kBootGate, /*gate=*/true));
  return absl::StrCat("this node stands aside for ", absl::FormatDuration(core::kBootGate));
}

}  // namespace zcluster::heartbeat
