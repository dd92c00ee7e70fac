// SPDX-License-Identifier: Apache-2.0
#include "agent/command/catalogue.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status.h"

namespace zcluster::command {
namespace {

absl::Status CheckCommand(const CommandSpec& command) {
  if (command.argv.empty() || command.argv[0].empty() || command.argv[0][0] != '/') {
    return absl::InvalidArgumentError("argv must begin with the absolute path of a program");
  }
  // The program is what `programs` allows: it must not depend on what an operator types.
  const std::vector<std::string> program{command.argv[0]};
  if (!CheckTemplate({}, program).ok()) {
    return absl::InvalidArgumentError("the program in argv must not contain a {name}");
  }
  if (command.timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("timeout must be positive");
  }
  return CheckTemplate(command.arguments, command.argv);
}

}  // namespace

absl::StatusOr<Catalogue> Catalogue::Make(std::vector<CommandSpec> commands,
                                          std::vector<std::string> programs, std::string node) {
  std::set<std::string> names;
  for (const CommandSpec& command : commands) {
    if (!names.insert(command.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("command '", command.name, "' is given twice"));
    }
    ZC_RETURN_IF_ERROR(
        Annotate(CheckCommand(command), absl::StrCat("command '", command.name, "'")));
  }
  Catalogue catalogue;
  catalogue.commands_ = std::move(commands);
  catalogue.programs_ = std::move(programs);
  catalogue.node_ = std::move(node);
  return catalogue;
}

const CommandSpec* Catalogue::Find(const std::string& name) const {
  auto found = std::find_if(commands_.begin(), commands_.end(),
                            [&](const CommandSpec& command) { return command.name == name; });
  return found == commands_.end() ? nullptr : &*found;
}

absl::StatusOr<std::vector<std::string>> Catalogue::Resolve(const std::string& name,
                                                            const Values& values) const {
  const CommandSpec* command = Find(name);
  if (command == nullptr) {
    const std::string known =
        commands_.empty()
            ? "the catalogue is empty; commands are declared in pair.yaml"
            : absl::StrCat("there are: ", absl::StrJoin(commands_, ", ", [](auto* out, auto& c) {
                             absl::StrAppend(out, c.name);
                           }));
    return absl::InvalidArgumentError(absl::StrCat("there is no command '", name, "'; ", known));
  }
  ZC_RETURN_IF_ERROR(
      Annotate(CheckValues(command->arguments, values), absl::StrCat("command '", name, "'")));
  if (std::find(programs_.begin(), programs_.end(), command->argv[0]) == programs_.end()) {
    return absl::PermissionDeniedError(absl::StrCat(
        "command '", name, "': ", node_, " does not allow ", command->argv[0],
        "; whoever administers ", node_, " can add it to `programs` in its agent.yaml"));
  }
  return Substitute(command->argv, values);
}

}  // namespace zcluster::command
