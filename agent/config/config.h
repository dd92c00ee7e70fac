// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/core/advert_interval.h"
#include "agent/core/types.h"
#include "common/access.h"
#include "common/flow_rule.h"

namespace zcluster::v1 {
class PairConfig;
}  // namespace zcluster::v1

// The files that an operator writes, read, checked and completed with defaults. What is here cannot
// be wrong in itself; only the machine may disagree (an interface that does not exist).
namespace zcluster::config {

struct Vip {
  std::string address;    // canonical, without prefix length
  int prefix_length = 0;  // 1 to 32, or 128
  bool v6 = false;
  std::string interface;  // empty: each node's own whose network holds the address, else VRRP's
  std::string WithPrefix() const;
};

struct Root {
  std::string path;
  std::vector<std::string> exclude;
};

struct Argument {
  std::string name;
  std::string pattern;
};

struct Command {
  std::string name;
  std::string summary;
  std::vector<std::string> argv;
  std::vector<Argument> arguments;
  absl::Duration timeout;
};

// The command that says whether what the pair serves is well.
struct HealthCommand {
  std::vector<std::string> command;
  absl::Duration interval;
  absl::Duration timeout;  // at most the interval
  int rise = 0;            // both at least 1
  int fall = 0;
};

// What shows that a node can serve.
struct HealthSettings {
  std::vector<std::string> interfaces;
  std::vector<std::string> gateways;  // canonical
  absl::optional<HealthCommand> check;
};

// Somebody who may reach the pair from elsewhere.
struct Operator {
  std::string name;
  access::Right role = access::Right::kNone;  // never kNone once read
  std::string key;                            // fingerprint of the certificate's key
};

// The controller that a node reports to.
struct ControllerSettings {
  std::vector<std::string> addresses;  // ADDRESS:PORT, tried in order; at least one
  std::vector<std::string> enrolment;  // likewise, where nodes enrol
  std::string token_file;
  access::Right allow = access::Right::kViewer;  // the most that its operators may do here
};

// agent.yaml: this node.
struct AgentSettings {
  bool in_pair = false;   // else what is about the node's address and its peer is empty
  std::string node_name;  // the host name, unless the file has another
  std::string node_address;
  std::string interface;
  std::string peer_name;
  std::string peer_address;
  std::vector<std::string> peer_links;  // ADDRESS:PORT
  std::string listen;                   // ADDRESS:PORT, for the peer
  int listen_port = 0;
  std::string bootstrap_listen;  // ADDRESS:PORT, for joins while the node is in no pair
  int bootstrap_port = 0;
  bool bootstrap_password = true;  // the root password may let a join in
  std::string api_listen;          // ADDRESS:PORT, for operators from elsewhere
  int api_port = 0;
  std::string metrics_listen;  // ADDRESS:PORT, for monitoring; "off": nowhere
  bool tls_given = false;      // somebody else makes and renews these; else all three are empty
  std::string certificate;
  std::string key;
  std::string ca;
  absl::Duration certificate_lifetime;  // of those that the agent makes
  std::vector<std::string> programs;
  absl::optional<ControllerSettings> controller;

  // The peer's addresses on the link, without ports, each once.
  std::vector<std::string> LinkAddresses() const;
};

// pair.yaml: the pair.
struct PairSettings {
  std::string name;
  int router_id = 0;
  core::AdvertInterval advert_interval;
  bool multicast = false;  // adverts go to VRRP's group
  core::Failback failback = core::Failback::kKeep;
  std::string preferred;
  std::vector<Vip> vips;
  bool replicate_conntrack = true;
  bool replicate_labels = false;
  FlowRules flow_rules;  // which connections are replicated
  std::vector<Root> roots;
  std::vector<Command> commands;
  std::vector<Operator> operators;
  std::vector<std::string> backends;  // ADDRESS:PORT
  HealthSettings health;
  uint64_t generation = 0;
  uint64_t term = 0;
};

struct Settings {
  AgentSettings agent;
  absl::optional<PairSettings> pair;  // if and only if agent.in_pair
};

// Reads and checks one file's text. INVALID_ARGUMENT: "file:line: field: what is wrong, what is
// expected".
absl::StatusOr<AgentSettings> ParseAgent(absl::string_view file, absl::string_view text);
absl::StatusOr<PairSettings> ParsePair(absl::string_view file, absl::string_view text,
                                       const AgentSettings& agent);

// The same checks; the message as it stands in the file, to be edited and written again by
// WriteYaml().
absl::StatusOr<v1::PairConfig> ReadPairFile(absl::string_view file, absl::string_view text,
                                            const AgentSettings& agent);

// Reads agent.yaml, whose absence is as good as an empty one, and pair.yaml if that says that the
// node is in a pair; checks that the files they name can be read.
absl::StatusOr<Settings> Load(const std::string& agent_path, const std::string& pair_path);

}  // namespace zcluster::config
