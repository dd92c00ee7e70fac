// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "agent/conntrack/rare.h"

namespace zcluster::v1 {
class RareFacts;
}  // namespace zcluster::v1

// What few flows have, as it travels (zcluster/v1/conntrack.proto).
namespace zcluster::conntrack {

void Write(const Rare& rare, v1::RareFacts& message);

// Of the flow `key`. INVALID_ARGUMENT names the field that breaks a bound.
absl::Status Read(const v1::RareFacts& message, const FlowKey& key, RarePtr& rare);

}  // namespace zcluster::conntrack
