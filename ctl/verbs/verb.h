// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ctl/output/style.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace zcluster::ctl {

// How zctl ends; scripts rely on it.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,        // refused or failed; standard error says why
  kUsage = 2,         // the command line is wrong; nothing was done
  kUnreachable = 3,   // no agent, or no controller, answers
  kNotPermitted = 4,  // whoever asks may not do this, or is not known
  kConflict = 5,      // made from an older generation than the present one; nothing was done
  kUnconfirmed = 6,   // a question was answered with no, or needs --yes; nothing was done
  kDifferent = 7,     // what was compared is not the same
};

// How answers are written.
enum class Format { kTable, kJson, kYaml };

// Something that begins with dashes.
struct Option {
  std::string name;    // "--output"
  std::string letter;  // "-o"; may be empty
  // What it takes, "FORMAT"; empty for a flag. The completion knows PATH, FILE and CONTEXT, and of
  // arguments PAIR and PAIR/NODE too.
  std::string value;
  std::string summary;                    // one line
  std::vector<std::string> choices = {};  // values that it may take; empty: any
  bool many = false;                      // may be given more than once
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
  std::string name;         // one word or more: "nodes", "fleet maintenance enter"
  std::string summary;      // one line, lower case, without a full stop
  std::string description;  // a paragraph
  std::vector<Argument> arguments;
  std::vector<Option> options;
  absl::Duration timeout;  // unless --timeout says otherwise
  std::vector<Example> examples;
  ExitCode (*run)(Context&);
  // Of a verb that asks an agent: what to type where a controller answers instead, such as
  // "zctl fleet switchover PAIR". Empty: no verb of the fleet does it.
  std::string in_fleet = {};

  // Asks a controller, not an agent.
  bool OfFleet() const { return name.rfind("fleet ", 0) == 0; }
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
  const Verb& verb;  // its row
  std::ostream& out;
  std::ostream& err;
  Style style;  // of `out`
  int in_fd;    // standard input
  int out_fd;   // what `out` stands for; -1: nothing that the system knows
  Format format = Format::kTable;
  std::string socket;                                      // --socket; empty: not given
  std::string context;                                     // --context; empty: not given
  absl::Duration timeout;                                  // zero: none
  std::vector<std::string> words;                          // its arguments, in order
  std::set<std::string> flags;                             // those given, such as "--force"
  std::map<std::string, std::vector<std::string>> values;  // of options, in order: "--vip" -> ...

  // What agent.h keeps: who was reached, and how to call it in an error.
  std::shared_ptr<grpc::Channel> channel = nullptr;
  std::string where = {};   // "on /run/zcluster/agent.sock"
  bool controller = false;  // a controller, or what is taken for one, not an agent

  bool Has(const std::string& flag) const { return flags.count(flag) > 0; }
  bool Given(const std::string& option) const { return values.count(option) > 0; }
  // The (first) value, or nothing.
  std::string Value(const std::string& option) const {
    return Given(option) ? values.at(option).front() : "";
  }
  std::vector<std::string> Values(const std::string& option) const {
    return Given(option) ? values.at(option) : std::vector<std::string>();
  }
};

// The verbs, a file each.
ExitCode Nodes(Context& context);
ExitCode Reload(Context& context);
ExitCode Watch(Context& context);
ExitCode Status(Context& context);
ExitCode Readiness(Context& context);
ExitCode Events(Context& context);
ExitCode Explain(Context& context);
ExitCode ClusterCreate(Context& context);
ExitCode ClusterDescribe(Context& context);
ExitCode ClusterConfigure(Context& context);
ExitCode ClusterApply(Context& context);
ExitCode ClusterEdit(Context& context);
ExitCode ClusterUnconfigure(Context& context);
ExitCode NodeToken(Context& context);
ExitCode NodeFingerprint(Context& context);
ExitCode NodeUnlock(Context& context);
ExitCode Switchover(Context& context);
ExitCode MaintenanceEnter(Context& context);
ExitCode MaintenanceStart(Context& context);
ExitCode Conflicts(Context& context);
ExitCode ConntrackVerify(Context& context);
ExitCode ConntrackStats(Context& context);
ExitCode ConntrackList(Context& context);
ExitCode ConntrackTop(Context& context);
ExitCode Freeze(Context& context);
ExitCode Unfreeze(Context& context);
ExitCode Run(Context& context);
ExitCode FleetToken(Context& context);
ExitCode FleetList(Context& context);
ExitCode FleetShow(Context& context);
ExitCode FleetWatch(Context& context);
ExitCode FleetEvents(Context& context);
ExitCode FleetFlows(Context& context);
ExitCode FleetLabel(Context& context);
ExitCode FleetForget(Context& context);
ExitCode FleetSwitchover(Context& context);
ExitCode FleetMaintenanceEnter(Context& context);
ExitCode FleetMaintenanceStart(Context& context);
ExitCode FleetRun(Context& context);
ExitCode OperatorAdd(Context& context);
ExitCode OperatorList(Context& context);
ExitCode OperatorRevoke(Context& context);
ExitCode Audit(Context& context);
ExitCode ContextAdd(Context& context);
ExitCode ContextUse(Context& context);
ExitCode ContextList(Context& context);
ExitCode ContextRemove(Context& context);
ExitCode Version(Context& context);
ExitCode Completion(Context& context);
ExitCode Man(Context& context);
ExitCode Help(Context& context);

}  // namespace zcluster::ctl
