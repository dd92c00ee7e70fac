// SPDX-License-Identifier: Apache-2.0
// zctl completion bash: prints a script for the shell, written from the table. The names that `run`
// takes, and those of contexts, are not in the table: the script asks zctl.
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
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
    std::string path;
    for (absl::string_view word : absl::StrSplit(verb.name, ' ')) {
      std::vector<std::string>& words = next[path];
      if (words.empty() || words.back() != word) words.emplace_back(word);
      absl::StrAppend(&path, path.empty() ? "" : " ", word);
    }
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
      absl::StrAppend(&text, "    '", verb.name, "'|'", verb.name, " '*) options+=' ",
                      Names(verb.options), "' ;;\n");
    }
  }
  return text;
}

// Names that zctl is asked for. `compgen -W` expands what it is given as the shell does, `$(...)`
// too, and a pair's name may come from anybody whose node was enrolled: only what is a plain name
// gets that far.
constexpr char kFirstColumn[] = R"(NR > 1 && $1 ~ /^[A-Za-z0-9._-]+$/ { print $1 })";
// NAME STATUS MASTER READY FLOWS NODES, the nodes joined by commas.
constexpr char kPairsAndNodes[] =
    R"(NR > 1 { n = split($6, nodes, ","); for (i = 1; i <= n; i++) { )"
    R"(name = $1 "/" nodes[i]; if (name ~ /^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/) print name } })";
constexpr char kListPairs[] = "fleet list --timeout 2s";

std::string Asked(const Program& program, const std::string& verb, const std::string& filter) {
  return absl::StrCat("mapfile -t COMPREPLY < <(compgen -W \"$(", program.name, " ", verb,
                      " 2>/dev/null | awk '", filter, "')\" -- \"$word\")");
}

// How the shell finds what may stand for a value that the table calls `name`.
std::string ValueAction(const Program& program, const std::string& name,
                        const std::vector<std::string>& choices) {
  if (name == "PATH" || name == "FILE") return "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")";
  if (name == "CONTEXT") return Asked(program, "context list", kFirstColumn);
  if (name == "PAIR" || name == "PAIR[/NODE]") return Asked(program, kListPairs, kFirstColumn);
  if (name == "PAIR/NODE") return Asked(program, kListPairs, kPairsAndNodes);
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

// Verbs whose first word, or whose every word, is the name of something that zctl knows.
std::string ArgumentsCase(const Program& program) {
  std::string text;
  for (const Verb& verb : program.verbs) {
    if (verb.arguments.empty()) continue;
    const std::string& name = verb.arguments[0].name;
    if (name != "CONTEXT" && !absl::StartsWith(name, "PAIR")) continue;
    const std::string more =
        verb.arguments[0].many ? absl::StrCat("|'", verb.name, " '*") : std::string();
    absl::StrAppend(&text, "    '", verb.name, "'", more, ") [[ $word == -* ]] || { ",
                    ValueAction(program, name, {}), "; return; } ;;\n");
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
              << R"sh(    run) choices=$()sh" << program.name << " run 2>/dev/null | awk '"
              << kFirstColumn << R"sh(') ;;
  esac
  [[ $word == -* ]] && choices=$options
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _)sh"
              << program.name << ' ' << program.name << '\n';
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
