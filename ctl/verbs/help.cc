// SPDX-License-Identifier: Apache-2.0
// zctl help, and what --help prints.
#include "ctl/verbs/help.h"

#include <ostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "ctl/output/table.h"
#include "ctl/output/utf8.h"

namespace zcluster::ctl {
namespace {

constexpr size_t kWidth = 80;
const Style kPlainStyle(false);

// `text` in lines of at most kWidth columns.
std::string Wrap(const std::string& text) {
  std::string out;
  size_t column = 0;
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (column > 0 && column + 1 + word.size() > kWidth) {
      out += '\n';
      column = 0;
    }
    if (column > 0) {
      out += ' ';
      ++column;
    }
    absl::StrAppend(&out, word);
    column += word.size();
  }
  return out + "\n";
}

std::string Section(const std::string& title, const Table& table) {
  return absl::StrCat("\n", title, ":\n", table.Render(kPlainStyle, 2));
}

Table OptionsTable(const std::vector<Option>& options) {
  Table table({});
  for (const Option& option : options) table.Add({Spelling(option), option.summary});
  return table;
}

std::string Examples(const std::vector<Example>& examples) {
  Table table({});
  for (const Example& example : examples) table.Add({example.line, example.meaning});
  return Section("Examples", table);
}

}  // namespace

std::string Spelling(const Option& option) {
  return absl::StrCat(option.letter, option.letter.empty() ? "    " : ", ", option.name,
                      option.value.empty() ? "" : " ", option.value, option.many ? "..." : "");
}

std::string Usage(const Program& program, const Verb& verb) {
  std::string usage = absl::StrCat(program.name, " ", verb.name, " [OPTIONS]");
  for (const Argument& argument : verb.arguments) {
    const std::string name = absl::StrCat(argument.name, argument.many ? "..." : "");
    absl::StrAppend(&usage, " ", argument.required ? name : absl::StrCat("[", name, "]"));
  }
  return usage;
}

std::string ProgramHelp(const Program& program) {
  Table verbs({});
  std::vector<Example> examples;
  for (const Verb& verb : program.verbs) {
    verbs.Add({verb.name, verb.summary});
    examples.push_back(verb.examples.front());
  }
  Table exits({});
  for (const Exit& exit : program.exits) {
    exits.Add({absl::StrCat(static_cast<int>(exit.code)), exit.meaning});
  }
  return absl::StrCat(
      program.name, " ", program.version, ": ", program.summary, "\n\nUsage: ", program.name,
      " [OPTIONS] VERB [ARGUMENTS]\n\n", Wrap(program.description), Section("Verbs", verbs),
      Section("Options", OptionsTable(program.options)), Examples(examples),
      Section("Exit codes", exits), "\n`", program.name,
      " VERB --help` says more about one verb, `", program.name, " man` prints a manual page.\n");
}

std::string VerbHelp(const Program& program, const Verb& verb) {
  std::string help = absl::StrCat("Usage: ", Usage(program, verb), "\n\n", Wrap(verb.description));
  if (!verb.arguments.empty()) {
    Table arguments({});
    for (const Argument& argument : verb.arguments)
      arguments.Add({argument.name, argument.summary});
    help += Section("Arguments", arguments);
  }
  std::vector<Option> options = verb.options;
  options.insert(options.end(), program.options.begin(), program.options.end());
  absl::StrAppend(&help, Section("Options", OptionsTable(options)));
  if (verb.timeout > absl::ZeroDuration()) {
    absl::StrAppend(&help, "\nWithout --timeout it waits ", absl::FormatDuration(verb.timeout),
                    ".\n");
  }
  return absl::StrCat(help, Examples(verb.examples));
}

std::string HelpOn(const Program& program, const std::string& name) {
  std::string help;
  for (const Verb& verb : program.verbs) {
    if (verb.name != name && verb.name.rfind(name + " ", 0) != 0) continue;
    absl::StrAppend(&help, help.empty() ? "" : "\n", VerbHelp(program, verb));
  }
  return help;
}

ExitCode Help(Context& context) {
  if (context.words.empty()) {
    context.out << ProgramHelp(context.program);
    return ExitCode::kOk;
  }
  const std::string name = absl::StrJoin(context.words, " ");
  const std::string help = HelpOn(context.program, name);
  context.out << help;
  if (!help.empty()) return ExitCode::kOk;
  context.err << context.program.name << ": there is no verb '" << Sanitise(name) << "'; `"
              << context.program.name << " help` lists what exists\n";
  return ExitCode::kUsage;
}

}  // namespace zcluster::ctl
