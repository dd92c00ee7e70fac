// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ctl/verbs/verb.h"

// The values of a verb's options, as what they mean. The options must be given. INVALID_ARGUMENT
// names the option and what it takes.
namespace zcluster::ctl {

// A time above zero, such as 200ms, 1s, 1h30m.
absl::StatusOr<absl::Duration> DurationOf(const Context& context, const std::string& option);

// A moment, or how long ago it was: 30m, 2026-02-01 12:00. Without a zone it is UTC, as all that
// zctl prints.
absl::StatusOr<absl::Time> MomentOf(const Context& context, const std::string& option);

// A whole number from `least` to `most`.
absl::StatusOr<uint32_t> NumberOf(const Context& context, const std::string& option, uint32_t least,
                                  uint32_t most);

}  // namespace zcluster::ctl
