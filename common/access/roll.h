// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/access.h"
#include "common/tls.h"

namespace zcluster::access {

// Somebody who may reach the pair from elsewhere.
struct Operator {
  std::string name;  // as in the certificate's SAN URI zcluster://PAIR/operator/NAME
  Right right = Right::kNone;
  std::string key;  // fingerprint of the certificate's key: an older credential is refused
};

// Who is known by a certificate: the pair's operators, and the other node. Plain value.
struct Roll {
  std::string pair;  // empty: this node is in none, and nobody is known
  std::string peer;  // the other node's name
  std::vector<Operator> operators;

  // The operator that `who` is. UNAUTHENTICATED says why it is none: of another pair, no operator,
  // revoked, an older credential.
  absl::StatusOr<Operator> FindOperator(const tls::Identity& who) const;
  bool IsPeer(const tls::Identity& who) const;
};

}  // namespace zcluster::access
