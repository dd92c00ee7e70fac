// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/access.h"

namespace grpc {
class ClientContext;
class ServerContextBase;
}  // namespace grpc

// Calls that our own process makes of its own services, over gRPC's in-process channel, for
// somebody whom it knows by other means: the controller's operators. Whoever makes such a call
// vouches for the caller in its metadata. Any thread.
namespace zcluster::access {

// Names of the metadata. On any other transport they mean nothing.
inline constexpr char kVouchedSeal[] = "zcluster-vouched-seal-bin";
inline constexpr char kVouchedWho[] = "zcluster-vouched-who-bin";
inline constexpr char kVouchedFrom[] = "zcluster-vouched-from-bin";
inline constexpr char kVouchedRight[] = "zcluster-vouched-right-bin";

// A new seal: 32 bytes that nobody can guess. It never leaves the process, so that a call that
// carries it is ours even if a later gRPC named other transports as it names this one.
std::string MakeSeal();

// Lets `call`, not begun yet, be one of `caller` (name, from, right).
void Vouch(const Caller& caller, absl::string_view seal, grpc::ClientContext& call);

// Whether a call came over an in-process channel. gRPC 1.51 calls such a peer "unknown", and has
// nothing to say of its security; each other transport has an address or a descriptor.
bool IsInProcess(const grpc::ServerContextBase& call);

// For whom an in-process call was made. UNAUTHENTICATED if nobody vouches for it with that seal.
absl::StatusOr<Caller> ReadVouched(const grpc::ServerContextBase& call, absl::string_view seal);

}  // namespace zcluster::access
