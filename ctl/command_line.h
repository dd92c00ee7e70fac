// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

// A command line, understood.
struct CommandLine {
  const Verb* verb = nullptr;  // null: none was given
  std::string group;  // what was given instead: the first words of several verbs ("maintenance")
  bool help = false;
  bool version = false;
  bool no_color = false;
  Format format = Format::kTable;
  std::string socket;   // empty: not given
  std::string context;  // empty: not given
  absl::optional<absl::Duration> timeout;
  std::vector<std::string> words;
  std::set<std::string> flags;
  std::map<std::string, std::vector<std::string>> values;  // of the verb's own options
};

// `words` without the program's name. INVALID_ARGUMENT says what is wrong and what was probably
// meant.
absl::StatusOr<CommandLine> Parse(const Program& program, const std::vector<std::string>& words);

}  // namespace zcluster::ctl
