// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// Who may call what. Pure; any thread.
namespace zcluster::access {

// What somebody may do; each includes those before it.
enum class Right { kNone, kViewer, kOperator, kAdmin };

// "viewer", "operator", "admin"; kNone is "nobody".
absl::string_view Name(Right right);

// Who a method is for.
enum class For {
  kViewer,     // whoever may look, or more
  kOperator,   // whoever may steer what is there, or more
  kAdmin,      // whoever may change what is there
  kPeer,       // the other node of the pair, over the link, and nobody else
  kBootstrap,  // whoever the bootstrap port's own admission lets in
  kAgent,      // an agent that the controller has enrolled, over its link
  kEnrolment,  // whoever the enrolment port's own admission lets in
};

// One method of one service.
struct Rule {
  absl::string_view method;  // "zcluster.v1.ClusterService/Nodes"
  For who;
  bool audited;  // it changes something: who called it, and how it ended, is kept
  // The other node too: the link's server has a narrower form of it.
  bool peer_too = false;
};

// All methods of all services that any server of ours serves, the standard ones too. The one table:
// what is not in it is refused.
absl::Span<const Rule> Table();

// The rule for `method`, or null. A slash before it, as gRPC writes methods, makes no difference.
const Rule* Find(absl::string_view method);

// Who calls, as the transport has proved it.
struct Caller {
  std::string name = {};       // "root", "uid 1000 (anna)", "operator anna", "node lb2"
  Right right = Right::kNone;  // a peer has none: it is no operator
  bool peer = false;           // the other node of the pair
  std::string from = {};       // "local socket, pid 4711", "192.0.2.7"
};

// PERMISSION_DENIED, in a sentence that names the caller, what it has and what it needs.
absl::Status Check(const Caller& caller, const Rule& rule);

}  // namespace zcluster::access
