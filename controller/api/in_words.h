// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "zcluster/v1/fleet.pb.h"
#include "zcluster/v1/operator.pb.h"

// What was asked, for the audit: `pair=web-1 force`. Each message field by field: what is not named
// here, such as a token or a new field, stays out; each text is cut. Pure.
namespace zcluster::controller {

std::string InWords(const v1::FleetTokenRequest& request);
std::string InWords(const v1::LabelPairRequest& request);
std::string InWords(const v1::ForgetPairRequest& request);
std::string InWords(const v1::FleetSwitchoverRequest& request);
std::string InWords(const v1::FleetEnterRequest& request);
std::string InWords(const v1::FleetStartRequest& request);
// Without the arguments: their values may be secrets.
std::string InWords(const v1::FleetRunRequest& request);
std::string InWords(const v1::AddOperatorRequest& request);
std::string InWords(const v1::RevokeOperatorRequest& request);

}  // namespace zcluster::controller
