// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/core/event.h"
#include "agent/core/types.h"
#include "zcluster/v1/cluster.pb.h"
#include "zcluster/v1/node.pb.h"
#include "zcluster/v1/peer.pb.h"
#include "zcluster/v1/role.pb.h"

// Between the brain's structs and the protos: the only place that knows both. Pure functions, any
// thread.
namespace zcluster::wire {

v1::Role ToProto(core::Role role);
core::Role FromProto(v1::Role role);  // an unknown value is kUnknown
v1::Status ToProto(core::Status status);
core::Status FromProto(v1::Status status);  // an unknown value is kGrey

v1::ConntrackState ToProto(const core::ConntrackState& state);
v1::RootState ToProto(const core::RootState& state);
v1::NodeState ToProto(const core::NodeState& state);

// What the peer said, checked: INVALID_ARGUMENT names the field that breaks a bound (texts of at
// most 1,024 bytes, an operator's reason of at most core::kMaxReason, at most 64 reasons and 64
// roots and 128 facts, whose names and values have at most 256
// bytes, a priority of 0 to 254, terms of at most 2^62, a lag that is not negative). ToProto keeps
// these bounds by cutting our own texts.
absl::StatusOr<core::NodeState> FromProto(const v1::NodeState& state);

// An answer on the link. Its evidence has at most 1,024 bytes, as above.
v1::Answer ToProto(uint64_t nonce, const core::Testimony& testimony);
absl::StatusOr<core::PeerAnswered> FromProto(const v1::Answer& answer);

v1::Node ToProto(const core::NodeView& node, bool local);
v1::Precondition ToProto(const core::Precondition& precondition);

google::protobuf::Duration ToProto(absl::Duration duration);
absl::Duration FromProto(const google::protobuf::Duration& duration);
google::protobuf::Timestamp ToProto(absl::Time time);
absl::Time FromProto(const google::protobuf::Timestamp& time);

}  // namespace zcluster::wire
