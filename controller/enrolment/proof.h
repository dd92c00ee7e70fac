// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/token.h"
#include "controller/store/records.h"

namespace zcluster::v1 {
class EnrolRequest;
}  // namespace zcluster::v1

// Is an enrolment what it says? Pure; any thread.
namespace zcluster::controller {

// Sizes and names; INVALID_ARGUMENT names the field. Cheap, for strangers.
absl::Status CheckShape(const v1::EnrolRequest& request);

// The token that `proof` was made with on that session; null: none of them. Looks at all, however
// many match, so that the time tells nothing.
const TokenRecord* FindToken(const std::vector<TokenRecord>& tokens, absl::string_view proof,
                             const token::Session& session);

// Whether the token is good at `now`; else UNAUTHENTICATED with the reason, which is for whoever
// has proved to hold it.
absl::Status CheckLife(const TokenRecord& token, absl::Time now);

// Whether the caller, by the key of its session, asks for a certificate for that key, and is the
// node that it says: its certificate in the pair is good, and its key has signed this very proof.
// The fingerprint of the key of the pair's CA. INVALID_ARGUMENT, PERMISSION_DENIED.
absl::StatusOr<std::string> CheckMember(const v1::EnrolRequest& request,
                                        absl::string_view caller_key);

}  // namespace zcluster::controller
