// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// What an operator's values may be, and how they reach a program's arguments. Pure functions.
namespace zcluster::command {

// A value that the operator gives.
struct ArgumentSpec {
  std::string name;
  std::string pattern;  // RE2, matched against the whole value
};

// Longest value, in bytes.
inline constexpr size_t kMaxValue = 4096;

using Values = std::map<std::string, std::string>;

// OK if `values` are exactly those that `specs` name and each fits its pattern. INVALID_ARGUMENT
// otherwise: says which one, what it must match, and what the command takes.
absl::Status CheckValues(const std::vector<ArgumentSpec>& specs, const Values& values);

// OK if `specs` have distinct names and valid patterns, and each "{name}" in `argv` is one of them.
// Braces around anything that is not a name (such as `{print $1}`) are ordinary characters.
absl::Status CheckTemplate(const std::vector<ArgumentSpec>& specs,
                           const std::vector<std::string>& argv);

// `argv` with each "{name}" replaced by its value. One pass: what a value contains is never looked
// at again, and a value never becomes more or fewer arguments than its template.
std::vector<std::string> Substitute(const std::vector<std::string>& argv, const Values& values);

}  // namespace zcluster::command
