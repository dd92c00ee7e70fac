// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/time/time.h"
#include "ctl/output/json.h"
#include "ctl/output/style.h"
#include "ctl/output/table.h"
#include "zcluster/v1/cluster.pb.h"
#include "zcluster/v1/role.pb.h"

// The protos' words as operators see them, in tables and in JSON.
namespace zcluster::ctl {

// "MASTER"; UNKNOWN for one that this program has never heard of.
std::string Word(v1::Role role);
// "GREEN"; GREY for one that this program has never heard of.
std::string Word(v1::Status status);
Colour ColourOf(v1::Status status);

absl::Duration ToAbsl(const google::protobuf::Duration& duration);

// NODE ROLE IP HOSTNAME STATUS MESSAGE.
Table NodesTable(const google::protobuf::RepeatedPtrField<v1::Node>& nodes);
// A list of {"node", "role", "ip", "hostname", "status", "message"}.
Json NodesJson(const google::protobuf::RepeatedPtrField<v1::Node>& nodes);

}  // namespace zcluster::ctl
