// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agent/config/config.h"
#include "zcluster/v1/cluster.pb.h"
#include "zcluster/v1/config.pb.h"

// The pair that a create asks for. Pure.
namespace zcluster::lifecycle {

// Its configuration, of generation 1, complete with defaults; `preferred` is the future master.
v1::PairConfig PairOf(const v1::CreateRequest& request, const std::string& preferred);

// Whether that configuration is sound: INVALID_ARGUMENT names the field.
absl::Status CheckPair(const v1::CreateRequest& request, const config::AgentSettings& self);

}  // namespace zcluster::lifecycle
