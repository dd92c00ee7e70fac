// SPDX-License-Identifier: Apache-2.0
#include "ctl/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/status.h"
#include "ctl/verbs/help.h"

namespace zcluster::ctl {
namespace {

constexpr absl::Duration kMaxTimeout = absl::Hours(24);
// More than any verb takes; execve's own bound is near.
constexpr int kMaxWords = 1 << 16;

// How many letters must be changed, added or dropped to make one of the other.
size_t Distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// "; did you mean 'x'?" for the likeliest of `known`, or nothing.
std::string DidYouMean(const std::string& word, const std::vector<std::string>& known,
                       const std::string& prefix = "") {
  const std::string* best = nullptr;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : known) {
    const bool begins = word.size() >= 2 && absl::StartsWith(name, word);
    const size_t distance = begins ? 0 : Distance(word, name);
    if (distance < least && distance < name.size()) {
      least = distance;
      best = &name;
    }
  }
  return best == nullptr
             ? ""
             : absl::StrCat("; did you mean '", prefix, prefix.empty() ? "" : " ", *best, "'?");
}

absl::Status TooMany(const Program& program, const Verb& verb, const std::string& word) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", word, "' is one too many; usage: ", Usage(program, verb)));
}

// The table as CLI11 knows it. Options of the program stand anywhere; each verb has its own beside.
class Parser {
 public:
  explicit Parser(const Program& program) : program_(program), app_(program.summary) {
    app_.set_help_flag();
    app_.require_subcommand(0, 1);
    for (const Option& option : program.options) AddOption(app_, option);
    for (const Verb& verb : program.verbs) AddVerb(verb);
  }

  absl::Status Parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
      app_.parse(words);
    } catch (const CLI::ExtrasError&) {
      return Extra(app_.remaining(/*recurse=*/true));
    } catch (const CLI::ParseError& error) {
      return absl::InvalidArgumentError(error.what());
    }
    return absl::OkStatus();
  }

  const Verb* verb() const {
    for (const auto& [verb, app] : verbs_) {
      if (app->parsed()) return verb;
    }
    return nullptr;
  }
  // The group that was named without a verb of it ("maintenance"), or nothing.
  std::string lone_group() const {
    for (const auto& [path, app] : groups_) {
      if (app->parsed() && app->get_subcommands().empty()) return path;
    }
    return "";
  }
  bool Has(const std::string& flag) const { return given_.count(flag) > 0 && given_.at(flag); }
  // The values of an option, in the order given; empty if it was not.
  std::vector<std::string> Values(const std::string& option) const {
    const auto found = values_.find(option);
    return found == values_.end() ? std::vector<std::string>() : found->second;
  }
  const std::vector<std::string>& words() const { return words_; }

  std::vector<std::string> KnownVerbs(const std::string& group,
                                      const std::string& besides = "") const {
    std::vector<std::string> names;
    for (const Verb& verb : program_.verbs) {
      if (!besides.empty() && absl::StartsWith(verb.name, besides + " ")) continue;
      absl::string_view rest = verb.name;
      if (!group.empty() && !absl::ConsumePrefix(&rest, group + " ")) continue;
      names.push_back(std::string(rest.substr(0, rest.find(' '))));
    }
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

 private:
  void AddOption(CLI::App& app, const Option& option) {
    const std::string names =
        option.letter.empty() ? option.name : absl::StrCat(option.letter, ",", option.name);
    if (option.value.empty()) {
      app.add_flag(names, given_[option.name]);
      return;
    }
    // Each occurrence takes one value, so that words after it are left alone.
    app.add_option(names, values_[option.name])
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  void AddVerb(const Verb& verb) {
    const std::vector<std::string> words = absl::StrSplit(verb.name, ' ');
    CLI::App* parent = &app_;
    std::string path;
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      absl::StrAppend(&path, path.empty() ? "" : " ", words[i]);
      CLI::App*& group = groups_[path];
      if (group == nullptr) {
        group = parent->add_subcommand(words[i])->fallthrough()->require_subcommand(0, 1);
        group->set_help_flag();
      }
      parent = group;
    }
    CLI::App* app = parent->add_subcommand(words.back())->fallthrough();
    app->set_help_flag();
    for (const Option& option : verb.options) AddOption(*app, option);
    if (!verb.arguments.empty()) {
      app->add_option("words", words_)->expected(0, kMaxWords);  // how many: see CheckWords
    }
    verbs_.emplace_back(&verb, app);
  }

  // Something that nobody takes.
  absl::Status Extra(const std::vector<std::string>& extras) const {
    const Verb* named = verb();
    std::string word = extras.front();
    // A wrong option may have a value, which is then left over too: the option is what to name. Not
    // where the verb itself is wrong.
    for (const std::string& extra : extras) {
      if (named == nullptr && !absl::StartsWith(word, "-")) break;
      if (!absl::StartsWith(extra, "-")) continue;
      word = extra;
      break;
    }
    if (absl::StartsWith(word, "-")) {
      std::vector<std::string> known;
      if (named != nullptr) {
        for (const Option& option : named->options) known.push_back(option.name);
      }
      for (const Option& option : program_.options) known.push_back(option.name);
      return absl::InvalidArgumentError(
          absl::StrCat("unknown option '", word, "'", DidYouMean(word, known)));
    }
    if (named != nullptr) {
      return TooMany(program_, *named, word);
    }
    const std::string prefix = lone_group();
    const std::vector<std::string> known = KnownVerbs(prefix);
    const std::string guess = DidYouMean(word, known, prefix);
    return absl::InvalidArgumentError(absl::StrCat(
        "unknown verb '", prefix, prefix.empty() ? "" : " ", word, "'",
        guess.empty() ? absl::StrCat("; there are: ", absl::StrJoin(known, ", ")) : guess));
  }

  const Program& program_;
  CLI::App app_;
  std::vector<std::pair<const Verb*, CLI::App*>> verbs_;
  std::map<std::string, CLI::App*> groups_;  // by their words: "fleet", "fleet maintenance"
  std::map<std::string, bool> given_;
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> words_;
};

absl::StatusOr<absl::Duration> ParseTimeout(const std::string& text) {
  absl::Duration timeout;
  if (!absl::ParseDuration(text, &timeout) || timeout <= absl::ZeroDuration() ||
      timeout > kMaxTimeout) {
    return absl::InvalidArgumentError(
        absl::StrCat("--timeout: '", text,
                     "' is not a time; give a number and its unit (500ms, 30s, 5m), at most 24h"));
  }
  return timeout;
}

// What CLI11 cannot say in our words: options given twice, or none of the choices.
absl::Status CheckValues(const Option& option, const std::vector<std::string>& values) {
  if (values.size() > 1 && !option.many) {
    return absl::InvalidArgumentError(absl::StrCat(option.name, " is given twice; keep one"));
  }
  for (const std::string& value : values) {
    const auto& choices = option.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          option.name, ": '", value, "' is not one of: ", absl::StrJoin(choices, ", ")));
    }
    if (value.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(option.name, " is empty; leave it out"));
    }
  }
  return absl::OkStatus();
}

Format FormatOf(const std::string& word) {
  return word == "json" ? Format::kJson : word == "yaml" ? Format::kYaml : Format::kTable;
}

// Arguments that are missing, too many, or none of the choices.
absl::Status CheckWords(const Program& program, const Verb& verb,
                        const std::vector<std::string>& words) {
  const bool many = !verb.arguments.empty() && verb.arguments.back().many;
  if (!many && words.size() > verb.arguments.size()) {
    return TooMany(program, verb, words[verb.arguments.size()]);
  }
  for (size_t i = 0; i < verb.arguments.size(); ++i) {
    const Argument& argument = verb.arguments[i];
    if (i >= words.size()) {
      if (!argument.required) break;
      return absl::InvalidArgumentError(
          absl::StrCat(argument.name, " is missing; usage: ", Usage(program, verb)));
    }
    const auto& choices = argument.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), words[i]) == choices.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          verb.name, ": '", words[i], "' is not one of: ", absl::StrJoin(choices, ", ")));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CommandLine> Parse(const Program& program, const std::vector<std::string>& words) {
  Parser parser(program);
  ZC_RETURN_IF_ERROR(parser.Parse(words));
  for (const Option& option : program.options) {
    ZC_RETURN_IF_ERROR(CheckValues(option, parser.Values(option.name)));
  }
  const auto value = [&parser](const std::string& option) {
    const std::vector<std::string> values = parser.Values(option);
    return values.empty() ? "" : values.front();
  };
  CommandLine line;
  line.verb = parser.verb();
  line.help = parser.Has("--help");
  line.version = parser.Has("--version");
  line.no_color = parser.Has("--no-color");
  line.format = FormatOf(value("--output"));
  line.socket = value("--socket");
  line.context = value("--context");
  line.words = parser.words();
  if (!value("--timeout").empty()) {
    ZC_ASSIGN_OR_RETURN(line.timeout, ParseTimeout(value("--timeout")));
  }
  line.group = parser.lone_group();
  if (line.help || line.version) return line;
  if (!line.group.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", line.group, "' wants one of: ", absl::StrJoin(parser.KnownVerbs(line.group), ", "),
        DidYouMean(line.group, parser.KnownVerbs("", /*besides=*/line.group))));
  }
  if (line.verb == nullptr) return line;
  ZC_RETURN_IF_ERROR(CheckWords(program, *line.verb, line.words));
  for (const Option& option : line.verb->options) {
    if (parser.Has(option.name)) line.flags.insert(option.name);
    const std::vector<std::string> values = parser.Values(option.name);
    ZC_RETURN_IF_ERROR(CheckValues(option, values));
    if (!values.empty()) line.values[option.name] = values;
  }
  return line;
}

}  // namespace zcluster::ctl
