// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

// Numbers as people read them.
namespace zcluster::ctl {

// With commas: 80,311.
std::string Count(uint64_t value);

// The count and its noun: "1 flow", "80,311 flows" (`noun` is made plural by "s").
std::string CountOf(uint64_t value, const std::string& noun);

// About three digits and the unit that fits: "0.4 ms", "12 ms", "3.2 s", "4m12s", "3h05m", "12d4h".
std::string Short(absl::Duration value);

// The first eight digits of a digest, or "-" for none.
std::string ShortDigest(const std::string& digest);

}  // namespace zcluster::ctl
