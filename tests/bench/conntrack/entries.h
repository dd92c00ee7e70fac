// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/conntrack/kernel_writer.h"

namespace zcluster::conntrack_bench {

// Makes and ends flows by ctnetlink, in batches: quicker than packets can, and with any state, but
// under the lock that all writers of all namespaces share. One thread.
class Entries {
 public:
  // In the network namespace of the calling thread.
  static absl::StatusOr<Entries> Open();

  // Makes flows `first` and on (see Balanced). An error if the kernel refuses one.
  absl::Status Make(uint64_t first, size_t count);
  // Makes each, and ends the one that was made `live` flows before it.
  absl::Status Churn(uint64_t first, size_t count, uint64_t live);

 private:
  explicit Entries(conntrack::KernelWriter writer) : writer_(std::move(writer)) {}
  absl::Status Add(conntrack::Verb verb, uint64_t number);
  absl::Status Flush();

  conntrack::KernelWriter writer_;
};

}  // namespace zcluster::conntrack_bench
