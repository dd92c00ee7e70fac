// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "common/flow_words.h"
#include "ctl/output/json.h"
#include "ctl/output/style.h"
#include "zcluster/v1/flows.pb.h"

// Connections as operators see them.
namespace zcluster::ctl {

// "12:00:00.123  tcp  198.51.100.7:40312 -> 192.0.2.10:80 => 10.40.0.1:40312 -> 10.40.0.2:8080
// ESTABLISHED", without a newline: the connection as the client opened it and, behind "=>", what
// NAT makes of it. What ended is "gone".
std::string FlowLine(const v1::SeenFlow& seen, const Style& style);

Json FlowJson(const v1::SeenFlow& seen, const std::string& node);

// The same of a flow alone: without time and node.
std::string FlowText(const v1::Flow& flow, const Style& style);
Json::Members FlowMembers(const v1::Flow& flow);

// "forwarded", "translated", "local", "own", "filtered"; "unknown" for what is none.
std::string Word(v1::FlowClass what);

// Something of a flow that is not the same on two nodes, in words.
struct FlowField {
  std::string name;  // "nat", "state", "tcp", "status", "mark", or as the wire calls it
  std::string master;
  std::string standby;
};
// Of two flows of one key.
std::vector<FlowField> DifferingFields(const v1::Flow& master, const v1::Flow& standby);

}  // namespace zcluster::ctl
