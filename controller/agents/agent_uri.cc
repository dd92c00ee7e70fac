// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/agent_uri.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace zcluster::controller {
namespace {

// Of a pair or a node: what enrolment gives, no more.
constexpr size_t kMaxName = 63;

bool IsName(absl::string_view text) { return !text.empty() && text.size() <= kMaxName; }

}  // namespace

absl::StatusOr<AgentId> ParseAgentUri(absl::string_view fleet, absl::string_view uri) {
  absl::string_view rest = uri;
  if (absl::ConsumePrefix(&rest, absl::StrCat("zcluster://", fleet, "/agent/"))) {
    const std::vector<absl::string_view> names = absl::StrSplit(rest, '/');
    if (names.size() == 2 && IsName(names[0]) && IsName(names[1])) {
      return AgentId{std::string(names[0]), std::string(names[1])};
    }
  }
  return absl::UnauthenticatedError(
      absl::StrCat("the certificate is for ", uri, ", expected an agent of the fleet ", fleet));
}

}  // namespace zcluster::controller
