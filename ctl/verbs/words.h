// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "ctl/output/json.h"
#include "ctl/output/style.h"
#include "ctl/output/table.h"
#include "zcluster/v1/cluster.pb.h"
#include "zcluster/v1/config.pb.h"
#include "zcluster/v1/role.pb.h"

// The protos' words as operators see them, in tables and in JSON.
namespace zcluster::ctl {

// "MASTER"; UNKNOWN for one that this program has never heard of.
std::string Word(v1::Role role);
// "GREEN"; GREY for one that this program has never heard of.
std::string Word(v1::Status status);
Colour ColourOf(v1::Status status);

// "KEEP", "PREFERRED".
std::string Word(v1::Failback failback);
// "viewer", "operator", "admin"; "unknown" for one that this program has never heard of.
std::string Word(v1::Right right);
// The other way; the unspecified one for a word that is none of those.
v1::Failback FailbackOf(absl::string_view word);
v1::Right RightOf(absl::string_view word);

absl::Duration ToAbsl(const google::protobuf::Duration& duration);
absl::Time ToAbsl(const google::protobuf::Timestamp& time);
google::protobuf::Duration ToProto(absl::Duration duration);
google::protobuf::Timestamp ToProto(absl::Time time);

// "2026-02-01 12:00:00 UTC".
std::string Date(absl::Time time);

// Whether it is shown how old is what is shown.
enum class Ages { kHidden, kShown };

// NODE ROLE IP HOSTNAME STATUS [AGE] MESSAGE.
Table NodesTable(const google::protobuf::RepeatedPtrField<v1::Node>& nodes, Ages ages);
// A list of {"node", "role", "ip", "hostname", "status", ["age_seconds",] "message"}.
Json NodesJson(const google::protobuf::RepeatedPtrField<v1::Node>& nodes, Ages ages);

}  // namespace zcluster::ctl
