// SPDX-License-Identifier: Apache-2.0
#include "agent/command/arguments.h"

#include <re2/re2.h>

#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status.h"

namespace zcluster::command {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// Calls `literal` and `placeholder` for the pieces of `text`, in order.
void Split(absl::string_view text, const std::function<void(absl::string_view)>& literal,
           const std::function<void(absl::string_view)>& placeholder) {
  size_t done = 0;
  size_t at = 0;
  while ((at = text.find('{', at)) != absl::string_view::npos) {
    size_t end = at + 1;
    while (end < text.size() && IsNameCharacter(text[end])) ++end;
    if (end == text.size() || text[end] != '}' || end == at + 1) {
      ++at;
      continue;
    }
    literal(text.substr(done, at - done));
    placeholder(text.substr(at + 1, end - at - 1));
    done = at = end + 1;
  }
  literal(text.substr(done));
}

RE2::Options Quiet() {
  RE2::Options options;
  options.set_log_errors(false);  // the status says it, in our words
  return options;
}

std::string Takes(const std::vector<ArgumentSpec>& specs) {
  if (specs.empty()) return "it takes none";
  return absl::StrCat("it takes ", absl::StrJoin(specs, ", ", [](std::string* out, const auto& s) {
                        absl::StrAppend(out, s.name);
                      }));
}

absl::Status CheckValue(const ArgumentSpec& spec, const std::string& value) {
  if (value.size() > kMaxValue) {
    return absl::InvalidArgumentError(absl::StrCat("argument '", spec.name, "' has ", value.size(),
                                                   " bytes; at most ", kMaxValue, " are allowed"));
  }
  // A NUL would end the argument early: the program would see less than what was matched.
  if (value.find('\0') != std::string::npos || !RE2::FullMatch(value, RE2(spec.pattern, Quiet()))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "argument '", spec.name, "' must match the pattern ", spec.pattern, " as a whole"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckValues(const std::vector<ArgumentSpec>& specs, const Values& values) {
  std::set<std::string> known;
  for (const ArgumentSpec& spec : specs) known.insert(spec.name);
  for (const auto& [name, value] : values) {
    if (known.count(name) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no argument '", name, "'; ", Takes(specs)));
    }
  }
  for (const ArgumentSpec& spec : specs) {
    auto value = values.find(spec.name);
    if (value == values.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("argument '", spec.name, "' is missing; ", Takes(specs)));
    }
    ZC_RETURN_IF_ERROR(CheckValue(spec, value->second));
  }
  return absl::OkStatus();
}

absl::Status CheckTemplate(const std::vector<ArgumentSpec>& specs,
                           const std::vector<std::string>& argv) {
  std::set<std::string> known;
  for (const ArgumentSpec& spec : specs) {
    if (!known.insert(spec.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("argument '", spec.name, "' is declared twice"));
    }
    RE2 pattern(spec.pattern, Quiet());
    if (!pattern.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("argument '", spec.name, "': pattern ",
                                                     spec.pattern, ": ", pattern.error()));
    }
  }
  absl::Status status;
  for (const std::string& piece : argv) {
    Split(
        piece, [](absl::string_view) {},
        [&](absl::string_view name) {
          if (!status.ok() || known.count(std::string(name)) > 0) return;
          status = absl::InvalidArgumentError(
              absl::StrCat("argv names {", name, "}, which is not among its arguments; declare it",
                           ", or write { ", name, " } if the braces are meant literally"));
        });
  }
  return status;
}

std::vector<std::string> Substitute(const std::vector<std::string>& argv, const Values& values) {
  std::vector<std::string> result;
  result.reserve(argv.size());
  for (const std::string& piece : argv) {
    std::string& out = result.emplace_back();
    Split(
        piece, [&](absl::string_view text) { absl::StrAppend(&out, text); },
        [&](absl::string_view name) {
          auto value = values.find(std::string(name));
          if (value != values.end()) out.append(value->second);
        });
  }
  return result;
}

}  // namespace zcluster::command
