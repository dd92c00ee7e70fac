// SPDX-License-Identifier: Apache-2.0
// zctl man: prints the manual page, written from the table.
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ctl/verbs/help.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {
namespace {

// Text as troff prints it: backslashes and dashes are special anywhere, dots and quotes at the
// start of a line.
std::string Text(const std::string& text) {
  std::string out =
      absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}, {"`", "\\(ga"}, {"'", "\\(aq"}});
  if (!out.empty() && out[0] == '.') out.insert(0, "\\&");
  return out;
}

// What stands within the quotes of a request.
std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::StrReplaceAll(Text(text), {{"\"", "\\(dq"}}), "\"");
}

// A term and what it means.
std::string Item(const std::string& term, const std::string& meaning) {
  return absl::StrCat(".TP\n.B ", Quoted(term), "\n", Text(meaning), "\n");
}

std::string VerbText(const Program& program, const Verb& verb) {
  std::string text =
      absl::StrCat(".SS ", Quoted(Usage(program, verb)), "\n", Text(verb.description), "\n");
  for (const Argument& argument : verb.arguments)
    absl::StrAppend(&text, Item(argument.name, argument.summary));
  for (const Option& option : verb.options) {
    const std::string spelling = Spelling(option);
    absl::StrAppend(&text,
                    Item(std::string(absl::StripLeadingAsciiWhitespace(spelling)), option.summary));
  }
  return text;
}

}  // namespace

ExitCode Man(Context& context) {
  const Program& program = context.program;
  const std::string title = absl::AsciiStrToUpper(program.name);
  context.out << ".TH " << title << " 1 \"\" " << Quoted(absl::StrCat("zcluster ", program.version))
              << " \"zcluster\"\n.SH NAME\n"
              << Text(program.name) << " \\- " << Text(program.summary) << "\n.SH SYNOPSIS\n.B "
              << Quoted(program.name) << "\n[OPTIONS] VERB [ARGUMENTS]\n.SH DESCRIPTION\n"
              << Text(program.description) << "\n.SH VERBS\n";
  for (const Verb& verb : program.verbs) context.out << VerbText(program, verb);
  context.out << ".SH OPTIONS\n";
  for (const Option& option : program.options) {
    context.out << Item(std::string(absl::StripLeadingAsciiWhitespace(Spelling(option))),
                        option.summary);
  }
  context.out << ".SH EXIT STATUS\n";
  for (const Exit& exit : program.exits) {
    context.out << Item(absl::StrCat(static_cast<int>(exit.code)), exit.meaning);
  }
  context.out << ".SH EXAMPLES\n";
  for (const Verb& verb : program.verbs) {
    for (const Example& example : verb.examples) context.out << Item(example.line, example.meaning);
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
