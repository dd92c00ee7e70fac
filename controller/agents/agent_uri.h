// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "controller/core/ids.h"

namespace zcluster::controller {

// The agent of `fleet` that a certificate is for: the reverse of tls::AgentUri. UNAUTHENTICATED
// says what the certificate is for instead: an operator, a node of a pair, another fleet. Pure.
absl::StatusOr<AgentId> ParseAgentUri(absl::string_view fleet, absl::string_view uri);

}  // namespace zcluster::controller
