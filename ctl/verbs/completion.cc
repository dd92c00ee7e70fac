// SPDX-License-Identifier: Apache-2.0
// zctl completion bash: prints a script for the shell, written from the table. The names that `run`
// takes, and those of contexts, are not in the table: the script asks zctl.
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {
namespace {

// What may follow each path of words: "" -> all first words, "maintenance" -> enter start, "nodes"
// -> its choices.
std::map<std::string, std::vector<std::string>> NextWords(const Program& program) {
  std::map<std::string, std::vector<std::string>> next;
  for (const Verb& verb : program.verbs) {
    const std::vector<std::string> words = absl::StrSplit(verb.name, ' ');
    std::vector<std::string>& first = next[""];
    if (first.empty() || first.back() != words[0]) first.push_back(words[0]);
    if (words.size() > 1) next[words[0]].push_back(words[1]);
    if (!verb.arguments.empty()) {
      for (const std::string& choice : verb.arguments[0].choices) next[verb.name].push_back(choice);
    }
  }
  return next;
}

std::string Names(const std::vector<Option>& options) {
  return absl::StrJoin(options, " ", [](std::string* out, const Option& option) {
    absl::StrAppend(out, option.name, option.letter.empty() ? "" : " ", option.letter);
  });
}

std::string OptionsCase(const Program& program) {
  std::string text;
  for (const Verb& verb : program.verbs) {
    if (!verb.options.empty()) {
      absl::StrAppend(&text, "    '", verb.name, "') options+=' ", Names(verb.options), "' ;;\n");
    }
  }
  return text;
}

// How the shell finds what may stand for a value that the table calls `name`.
std::string ValueAction(const Program& program, const std::string& name,
                        const std::vector<std::string>& choices) {
  if (name == "PATH" || name == "FILE") return "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")";
  if (name == "CONTEXT") {
    return absl::StrCat("mapfile -t COMPREPLY < <(compgen -W \"$(", program.name,
                        " context list 2>/dev/null | awk 'NR > 1 { print $1 }')\" -- \"$word\")");
  }
  if (choices.empty()) return "COMPREPLY=()";
  return absl::StrCat("mapfile -t COMPREPLY < <(compgen -W '", absl::StrJoin(choices, " "),
                      "' -- \"$word\")");
}

std::string NamePattern(const Option& option) {
  return option.letter.empty() ? option.name : absl::StrCat(option.name, "|", option.letter);
}

// All options of all verbs that take a value. One name means the same everywhere.
std::map<std::string, Option> OptionsWithValue(const Program& program) {
  std::map<std::string, Option> options;
  const auto add = [&options](const std::vector<Option>& some) {
    for (const Option& option : some) {
      if (!option.value.empty()) options.emplace(option.name, option);
    }
  };
  add(program.options);
  for (const Verb& verb : program.verbs) add(verb.options);
  return options;
}

// What an option takes, by the option before the cursor.
std::string ValuesCase(const Program& program) {
  std::string text;
  for (const auto& [name, option] : OptionsWithValue(program)) {
    absl::StrAppend(&text, "    ", NamePattern(option), ") ",
                    ValueAction(program, option.value, option.choices), "; return ;;\n");
  }
  return text;
}

// Verbs whose first word is the name of something that zctl knows.
std::string ArgumentsCase(const Program& program) {
  std::string text;
  for (const Verb& verb : program.verbs) {
    if (verb.arguments.empty() || verb.arguments[0].name != "CONTEXT") continue;
    absl::StrAppend(&text, "    '", verb.name, "') ", ValueAction(program, "CONTEXT", {}),
                    "; [[ $word != -* ]] && return ;;\n");
  }
  return text;
}

std::string WordsCase(const Program& program) {
  std::string text;
  for (const auto& [path, words] : NextWords(program)) {
    absl::StrAppend(&text, "    '", path, "') choices='", absl::StrJoin(words, " "), "' ;;\n");
  }
  return text;
}

std::string NamesWithValue(const Program& program) {
  return absl::StrJoin(OptionsWithValue(program), "|", [](std::string* out, const auto& option) {
    absl::StrAppend(out, NamePattern(option.second));
  });
}

}  // namespace

ExitCode Completion(Context& context) {
  const Program& program = context.program;
  context.out << "# bash completion for " << program.name << "; load it with\n#   source <("
              << program.name << " completion bash)\n_" << program.name << R"sh(() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path='' options='' choices='' i
  case $before in
)sh" << ValuesCase(program)
              << R"sh(  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      )sh" << NamesWithValue(program)
              << R"sh() i=$((i + 1)) ;;
      -*) ;;
      *) path+="${path:+ }${COMP_WORDS[i]}" ;;
    esac
  done
  options=')sh"
              << Names(program.options) << R"sh('
  case $path in
)sh" << OptionsCase(program)
              << R"sh(  esac
  case $path in
)sh" << ArgumentsCase(program)
              << R"sh(  esac
  case $path in
)sh" << WordsCase(program)
              << R"sh(    run) choices=$()sh" << program.name
              << R"sh( run 2>/dev/null | awk 'NR > 1 { print $1 }') ;;
  esac
  [[ $word == -* ]] && choices=$options
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _)sh"
              << program.name << ' ' << program.name << '\n';
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
