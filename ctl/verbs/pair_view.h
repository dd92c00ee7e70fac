// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ctl/output/json.h"
#include "ctl/output/style.h"
#include "zcluster/v1/cluster.pb.h"

// A pair as one of its agents sees it, in parts: for `zctl status` there, and for `zctl fleet show`
// elsewhere. Texts end with a newline, and each line begins with two spaces.
namespace zcluster::ctl {

// The node whose view it is; an empty one if it does not say.
v1::Node LocalNode(const v1::GetStatusResponse& reply);

std::string ReadinessText(const v1::GetStatusResponse& reply, const Style& style);
// A line for each precondition, what is broken first; empty: the agent tells none.
std::string PreconditionsText(const v1::GetStatusResponse& reply, const Style& style);
std::string VipsText(const v1::GetStatusResponse& reply, const Style& style);
std::string LinkText(const v1::LinkState& link, const Style& style);
std::string ConntrackText(const v1::ConntrackState& state, const Style& style);
std::string RootsText(const v1::GetStatusResponse& reply, const Style& style);
std::string ControllerText(const v1::ControllerState& controller, const Style& style);

Json PreconditionsJson(const v1::GetStatusResponse& reply);
// All of it.
Json StatusJson(const v1::GetStatusResponse& reply);

}  // namespace zcluster::ctl
