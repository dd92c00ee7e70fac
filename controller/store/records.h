// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/access.h"
#include "controller/core/ids.h"

// What a controller must remember, as plain values. Any thread.
namespace zcluster::controller {

// A pair of the fleet. The first node that enrols makes it.
struct PairRecord {
  std::string name;    // in the fleet; unique
  std::string ca_key;  // fingerprint of the key of the pair's CA
  std::map<std::string, std::string> labels;
  bool operator==(const PairRecord&) const = default;
};

// An enrolled node.
struct AgentRecord {
  AgentId id;
  // Fingerprints of the keys that are let in, apart by spaces: the one that it was seen with last,
  // then those of certificates that it was given since (see controller/hub/keys.h).
  std::string key;
  absl::Time enrolled;
  absl::Time certificate_expires;
  std::string journal;        // of its events; empty: none yet
  uint64_t events_taken = 0;  // the newest of that journal that is on our disk
  bool operator==(const AgentRecord&) const = default;
};

// A token that enrols one node.
struct TokenRecord {
  std::string hash;  // token::HashOf its secret; unique
  std::string pair;  // empty: as the pair calls itself
  std::map<std::string, std::string> labels;
  absl::Time made;
  absl::Time expires;
  std::string ended;  // why it is not good any more: "was used", ...; empty: it is good
  bool operator==(const TokenRecord&) const = default;
};

// Who is admitted at the controller from elsewhere.
struct OperatorRecord {
  std::string name;
  access::Right right = access::Right::kNone;
  std::string key;  // fingerprint of the certificate's key
  bool operator==(const OperatorRecord&) const = default;
};

// All of it, but for the events.
struct Contents {
  std::vector<PairRecord> pairs;
  std::vector<AgentRecord> agents;
  std::vector<TokenRecord> tokens;
  std::vector<OperatorRecord> operators;
};

// One change. Put replaces what has the same key; Drop of what is not there is no error.
struct PutPair {
  PairRecord pair;
};
struct PutAgent {  // `journal` and `events_taken` of one that is there stay as they are
  AgentRecord agent;
};
struct PutToken {
  TokenRecord token;
};
struct PutOperator {
  OperatorRecord admitted;
};
struct DropPair {  // with its agents; its events stay
  std::string pair;
};
struct DropAgent {
  AgentId agent;
};
struct DropToken {
  std::string hash;
};
struct DropOperator {
  std::string name;
};
using Change = std::variant<PutPair, PutAgent, PutToken, PutOperator, DropPair, DropAgent,
                            DropToken, DropOperator>;

}  // namespace zcluster::controller
