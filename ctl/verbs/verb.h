// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ctl/output/style.h"

namespace zcluster::ctl {

// How zctl ends; scripts rely on it.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,       // refused or failed; standard error says why
  kUsage = 2,        // the command line is wrong; nothing was done
  kUnreachable = 3,  // no agent answers
};

// Something that begins with dashes.
struct Option {
  std::string name;                       // "--output"
  std::string letter;                     // "-o"; may be empty
  std::string value;                      // what it takes, "FORMAT"; empty for a flag
  std::string summary;                    // one line
  std::vector<std::string> choices = {};  // values that it may take; empty: any
};

// Something that does not.
struct Argument {
  std::string name;  // "NAME"
  std::string summary;
  bool required = false;
  bool many = false;  // takes all that is left; only the last may
  std::vector<std::string> choices = {};
};

// What an exit code means.
struct Exit {
  ExitCode code;
  std::string meaning;
};

struct Example {
  std::string line;
  std::string meaning;  // what it is for, without a full stop
};

struct Context;

// One row of the table from which parsing, help, completion and the man page come.
struct Verb {
  std::string name;         // one word or two: "nodes", "maintenance enter"
  std::string summary;      // one line, lower case, without a full stop
  std::string description;  // a paragraph
  std::vector<Argument> arguments;
  std::vector<Option> options;
  absl::Duration timeout;  // unless --timeout says otherwise
  std::vector<Example> examples;
  ExitCode (*run)(Context&);
};

// All of zctl.
struct Program {
  std::string name;
  std::string version;
  std::string summary;
  std::string description;
  std::vector<Option> options;  // those of every verb
  std::vector<Exit> exits;
  std::vector<Verb> verbs;
};

// What a verb is given, checked against the table.
struct Context {
  const Program& program;
  std::ostream& out;
  std::ostream& err;
  Style style;  // of `out`
  std::string socket;
  bool json = false;
  absl::Duration timeout;
  std::vector<std::string> words;  // its arguments, in order
  std::set<std::string> flags;     // those given, such as "--force"

  bool Has(const std::string& flag) const { return flags.count(flag) > 0; }
};

// The verbs, a file each.
ExitCode Nodes(Context& context);
ExitCode Status(Context& context);
ExitCode Switchover(Context& context);
ExitCode MaintenanceEnter(Context& context);
ExitCode MaintenanceStart(Context& context);
ExitCode Run(Context& context);
ExitCode Version(Context& context);
ExitCode Completion(Context& context);
ExitCode Man(Context& context);
ExitCode Help(Context& context);

}  // namespace zcluster::ctl
