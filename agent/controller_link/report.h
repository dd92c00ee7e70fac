// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "zcluster/v1/cluster.pb.h"
#include "zcluster/v1/fleet_link.pb.h"

// What a report says, and whether it says anything new. Pure functions.
namespace zcluster::controller_link {

// All of `status` but ages, counters and what is about the controller itself, as bytes: two that
// are equal say the same to an operator.
std::string Essence(v1::GetStatusResponse status);

// The report of `status`, for a pair that its operators call `pair` and the fleet `in_fleet`. One
// that would not fit in a message loses roots and reasons from their ends until it does.
v1::AgentReport MakeReport(v1::GetStatusResponse status, const std::string& pair,
                           const std::string& in_fleet);

}  // namespace zcluster::controller_link
