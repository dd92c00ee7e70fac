// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/command/arguments.h"

namespace zcluster::command {

// One entry of the catalogue.
struct CommandSpec {
  std::string name;
  std::string summary;
  std::vector<std::string> argv;  // program (absolute path) and arguments, with {name} for values
  std::vector<ArgumentSpec> arguments;
  absl::Duration timeout = absl::Seconds(30);
};

// What may be run, and nothing else. Immutable; any thread.
class Catalogue {
 public:
  // INVALID_ARGUMENT if two entries share a name, a template is not whole or a pattern is not RE2.
  // `programs` are those that this node allows; entries that need others are kept, and refused when
  // they are run, so that a node where a program is missing can still show what the pair may run.
  static absl::StatusOr<Catalogue> Make(std::vector<CommandSpec> commands,
                                        std::vector<std::string> programs, std::string node);

  // Nothing may be run.
  Catalogue() = default;

  // What to execute for `name` with `values`. INVALID_ARGUMENT if there is no such command (lists
  // those that are) or the values do not fit; PERMISSION_DENIED if this node does not allow the
  // program.
  absl::StatusOr<std::vector<std::string>> Resolve(const std::string& name,
                                                   const Values& values) const;

  // The entry `name`, or nullptr.
  const CommandSpec* Find(const std::string& name) const;
  // In the order of the configuration.
  const std::vector<CommandSpec>& commands() const { return commands_; }

 private:
  std::vector<CommandSpec> commands_;
  std::vector<std::string> programs_;
  std::string node_;
};

}  // namespace zcluster::command
