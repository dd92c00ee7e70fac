// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "agent/conntrack/expectation.h"

namespace zcluster::v1 {
class Expectation;
class FlowBatch;
}  // namespace zcluster::v1

// Expectations as they travel (zcluster/v1/conntrack.proto).
namespace zcluster::conntrack {

inline constexpr int kMaxExpectationsInBatch = 4096;

void Write(const Expectation& expectation, v1::Expectation& message);

// Reads what the peer sent. INVALID_ARGUMENT names the first expectation and field that breaks a
// bound; `expectations` is then empty.
absl::Status Read(const v1::FlowBatch& message, std::vector<Expectation>& expectations);

}  // namespace zcluster::conntrack
