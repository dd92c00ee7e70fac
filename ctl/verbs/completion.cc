// SPDX-License-Identifier: Apache-2.0
// zctl completion bash: prints a script for the shell, written from the table. The names that `run`
// takes are not in the table: the script asks the agent.
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

// What an option takes, by the option before the cursor.
std::string ValuesCase(const Program& program) {
  std::string text;
  for (const Option& option : program.options) {
    if (option.value.empty()) continue;
    const std::string letter = option.letter.empty() ? "" : absl::StrCat("|", option.letter);
    const std::string action =
        option.value == "PATH" ? "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"
        : option.choices.empty()
            ? "COMPREPLY=()"
            : absl::StrCat("mapfile -t COMPREPLY < <(compgen -W '",
                           absl::StrJoin(option.choices, " "), "' -- \"$word\")");
    absl::StrAppend(&text, "    ", option.name, letter, ") ", action, "; return ;;\n");
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

std::string OptionsWithValue(const Program& program) {
  std::vector<std::string> names;
  for (const Option& option : program.options) {
    if (option.value.empty()) continue;
    names.push_back(option.name);
    if (!option.letter.empty()) names.push_back(option.letter);
  }
  return absl::StrJoin(names, "|");
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
      )sh" << OptionsWithValue(program)
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
