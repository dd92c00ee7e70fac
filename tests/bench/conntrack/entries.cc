// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/conntrack/entries.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "tests/bench/conntrack/numbering.h"

namespace zcluster::conntrack_bench {
namespace {

constexpr uint32_t kTimeout = 36000;  // seconds: none ends while we measure

}  // namespace

absl::StatusOr<Entries> Entries::Open() {
  ZC_ASSIGN_OR_RETURN(conntrack::KernelWriter writer, conntrack::KernelWriter::Open());
  return Entries(std::move(writer));
}

absl::Status Entries::Make(uint64_t first, size_t count) {
  for (uint64_t i = first; i < first + count; ++i)
    ZC_RETURN_IF_ERROR(Add(conntrack::Verb::kCreate, i));
  return Flush();
}

absl::Status Entries::Churn(uint64_t first, size_t count, uint64_t live) {
  for (uint64_t i = first; i < first + count; ++i) {
    ZC_RETURN_IF_ERROR(Add(conntrack::Verb::kCreate, i));
    if (i >= live) ZC_RETURN_IF_ERROR(Add(conntrack::Verb::kDelete, i - live));
  }
  return Flush();
}

absl::Status Entries::Add(conntrack::Verb verb, uint64_t number) {
  if (writer_.Full()) ZC_RETURN_IF_ERROR(Flush());
  writer_.Add(verb, Balanced(number), kTimeout);
  return absl::OkStatus();
}

absl::Status Entries::Flush() {
  const std::vector<conntrack::KernelWriter::Refusal> refused = writer_.Flush();
  if (refused.empty()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the kernel refused ", refused.size(), " changes, first ",
                                          conntrack::Text(refused.front().key), ": ",
                                          std::strerror(refused.front().error)));
}

}  // namespace zcluster::conntrack_bench
