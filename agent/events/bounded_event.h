// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/time/time.h"
#include "agent/core/action.h"
#include "zcluster/v1/event.pb.h"

namespace zcluster::events {

// Of event.proto.
inline constexpr size_t kMaxNameBytes = 64;
inline constexpr size_t kMaxValueBytes = 1024;
inline constexpr size_t kMaxFields = 32;

// `decision`, made at `at` by the wall clock, as an event without a number. What the bounds do not
// allow is cut, and ends in "…"; what is not printable ASCII is written as \xNN. Pure.
v1::Event BoundedEvent(const core::LogDecision& decision, absl::Time at);

}  // namespace zcluster::events
