// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/credential.h"

namespace grpc {
class Channel;
class Status;
}  // namespace grpc

namespace zcluster::bootstrap {

using tls::Credential;
using tls::Judge;

// The channel to a node's bootstrap port, "10.0.0.2:7701" or "[fd00::2]:7701". `own` is shown to
// it, and `judge` is asked after the TLS handshake, before a byte of HTTP/2. Returns at once, and
// connects with the first call.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const Credential& own,
                                           Judge judge);

// Why a join over it ended, for people: INVALID_ARGUMENT for what is no address, UNAVAILABLE for
// trouble on the way, UNAUTHENTICATED with the judge's words, or what the node said.
absl::Status WhyEnded(const grpc::Status& status, const std::string& address);

}  // namespace zcluster::bootstrap
