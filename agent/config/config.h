// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/core/advert_interval.h"
#include "agent/core/types.h"

// The files that an operator writes, read, checked and completed with defaults. What is here cannot
// be wrong in itself; only the machine may disagree (an interface that does not exist).
namespace zcluster::config {

struct Vip {
  std::string address;    // canonical, without prefix length
  int prefix_length = 0;  // 0 to 32, or 128
  bool v6 = false;
  std::string interface;
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

// agent.yaml: this node.
struct AgentSettings {
  std::string node_name;
  std::string node_address;
  std::string interface;
  std::string peer_name;
  std::string peer_address;
  std::vector<std::string> peer_links;  // ADDRESS:PORT
  std::string listen;                   // ADDRESS:PORT
  int listen_port = 0;
  std::string certificate;
  std::string key;
  std::string ca;
  std::vector<std::string> programs;

  // The peer's addresses on the link, without ports, each once.
  std::vector<std::string> LinkAddresses() const;
};

// pair.yaml: the pair.
struct PairSettings {
  std::string name;
  int router_id = 0;
  core::AdvertInterval advert_interval;
  core::Failback failback = core::Failback::kKeep;
  std::string preferred;
  std::vector<Vip> vips;
  bool replicate_conntrack = true;
  std::vector<Root> roots;
  std::vector<Command> commands;
};

struct Settings {
  AgentSettings agent;
  PairSettings pair;
};

// Reads and checks one file's text. INVALID_ARGUMENT: "file:line: field: what is wrong, what is
// expected".
absl::StatusOr<AgentSettings> ParseAgent(absl::string_view file, absl::string_view text);
absl::StatusOr<PairSettings> ParsePair(absl::string_view file, absl::string_view text,
                                       const AgentSettings& agent);

// Reads both files, and checks that the files they name can be read.
absl::StatusOr<Settings> Load(const std::string& agent_path, const std::string& pair_path);

}  // namespace zcluster::config
