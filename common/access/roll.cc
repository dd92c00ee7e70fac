// SPDX-License-Identifier: Apache-2.0
#include "common/access/roll.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace zcluster::access {

absl::StatusOr<Operator> Roll::FindOperator(const tls::Identity& who) const {
  absl::string_view name = who.uri;
  if (pair.empty() || !absl::ConsumePrefix(&name, tls::OperatorUri(pair, ""))) {
    return absl::UnauthenticatedError(absl::StrCat("the caller's certificate is for ",
                                                   absl::CHexEscape(who.uri),
                                                   ", expected an operator of the pair ", pair));
  }
  const auto found = std::find_if(operators.begin(), operators.end(),
                                  [name](const Operator& o) { return o.name == name; });
  if (found == operators.end()) {
    return absl::UnauthenticatedError(
        absl::StrCat("operator ", absl::CHexEscape(name),
                     " is not admitted, or no longer; `zctl operator list` shows who is"));
  }
  if (found->key != who.key) {
    return absl::UnauthenticatedError(
        absl::StrCat("operator ", found->name, " shows a credential of another key (", who.key,
                     ") than the one that is admitted (", found->key, "): an older one?"));
  }
  return *found;
}

bool Roll::IsPeer(const tls::Identity& who) const {
  return !pair.empty() && !peer.empty() && who.uri == tls::NodeUri(pair, peer);
}

}  // namespace zcluster::access
