// SPDX-License-Identifier: Apache-2.0
#include "agent/config/check.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/strings.h"

namespace zcluster::config {
namespace {

// Where the agent keeps what it runs on: a root here would let a synchronised file become the
// agent's own.
constexpr std::array<absl::string_view, 3> kOwnPaths = {"/etc/zcluster", "/var/lib/zcluster",
                                                        "/run/zcluster"};

bool Holds(absl::string_view parent, absl::string_view child) {
  return parent == child || parent == "/" || absl::StartsWith(child, absl::StrCat(parent, "/"));
}

bool IsOfInterface(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-_.+", c);
}

}  // namespace

absl::Status At(const YamlDocument& document, absl::string_view field, const absl::Status& status) {
  return status.ok() ? status : document.ErrorAt(field, status.message());
}

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::Status CheckInterface(absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("is missing");
  if (name.size() > 15 || !std::all_of(name.begin(), name.end(), IsOfInterface) || name == "." ||
      name == "..") {
    return absl::InvalidArgumentError(absl::StrCat(
        "is '", Printable(name),
        "'; expected the name of a network interface: letters, digits, '-', '_', '.' and '+', at "
        "most 15"));
  }
  return absl::OkStatus();
}

absl::Status CheckRoot(absl::string_view path) {
  ZC_RETURN_IF_ERROR(CheckPath(path));
  for (absl::string_view own : kOwnPaths) {
    if (Holds(path, own) || Holds(own, path)) {
      return absl::InvalidArgumentError(absl::StrCat("is '", path,
                                                     "', which holds or lies in the agent's own ",
                                                     own, "; choose a directory of the service"));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> Placeholders(absl::string_view argument) {
  std::vector<std::string> names;
  for (size_t open = argument.find('{'); open != absl::string_view::npos;
       open = argument.find('{', open + 1)) {
    const size_t close = argument.find('}', open);
    if (close == absl::string_view::npos) break;
    names.emplace_back(argument.substr(open + 1, close - open - 1));
  }
  return names;
}

}  // namespace zcluster::config
