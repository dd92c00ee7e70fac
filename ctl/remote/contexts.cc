// SPDX-License-Identifier: Apache-2.0
#include "ctl/remote/contexts.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::ctl {
namespace {

constexpr char kEnding[] = ".zctl";
constexpr size_t kMaxName = 63;
constexpr size_t kMaxFile = 256 << 10;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

absl::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::Status CheckName(const std::string& name) {
  const bool good = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
  if (name.empty() || name.size() > kMaxName || name[0] == '.' || name[0] == '-' || !good) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name,
                     "' cannot name a context; use letters, digits, '-', '_', '.', at "
                     "most ",
                     kMaxName));
  }
  if (IsBuiltIn(name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", name, "' is ",
        name == kLocalContext ? "the agent of this node" : "the controller on this machine",
        ", always; use another name"));
  }
  return absl::OkStatus();
}

}  // namespace

bool IsBuiltIn(absl::string_view context) {
  return context == kLocalContext || context == kControllerContext;
}

Contexts Contexts::OfUser() {
  // https://specifications.freedesktop.org/basedir-spec: a relative one is to be ignored.
  const absl::string_view config = Environment("XDG_CONFIG_HOME");
  if (!config.empty() && config[0] == '/') return Contexts(absl::StrCat(config, "/zcluster"));
  const absl::string_view home = Environment("HOME");
  return Contexts(home.empty() ? "" : absl::StrCat(home, "/.config/zcluster"));
}

std::string Contexts::PathOf(const std::string& name) const {
  return absl::StrCat(directory_, "/", name, kEnding);
}

absl::Status Contexts::Missing(const std::string& name) const {
  ZC_ASSIGN_OR_RETURN(std::vector<std::string> names, Names());
  names.insert(names.begin(), {kLocalContext, kControllerContext});
  return absl::NotFoundError(absl::StrCat("there is no context '", name, "'; there are: ",
                                          absl::StrJoin(names, ", "), " (zctl context add)"));
}

absl::StatusOr<std::string> Contexts::Current() const {
  if (directory_.empty()) return std::string(kLocalContext);
  const std::string path = absl::StrCat(directory_, "/current");
  auto text = ReadFile(path, kMaxFile);
  if (absl::IsNotFound(text.status())) return std::string(kLocalContext);
  if (!text.ok()) {
    // Who else was chosen cannot be known: to take this node for it might hit the wrong pair.
    return absl::Status(
        text.status().code(),
        absl::StrCat(text.status().message(), "; --context local is the agent of this node"));
  }
  return std::string(absl::StripAsciiWhitespace(*text));
}

absl::Status Contexts::Use(const std::string& name) const {
  if (!IsBuiltIn(name)) {
    const auto credential = Get(name);
    if (!credential.ok()) return credential.status();
  }
  if (directory_.empty()) return absl::OkStatus();
  ZC_RETURN_IF_ERROR(MakeDirectories(directory_, 0700));
  return WriteFileAtomically(absl::StrCat(directory_, "/current"), absl::StrCat(name, "\n"), 0600);
}

absl::Status Contexts::Add(const std::string& name, const Credential& credential) const {
  ZC_RETURN_IF_ERROR(CheckName(name));
  if (directory_.empty()) {
    return absl::FailedPreconditionError(
        "neither HOME nor XDG_CONFIG_HOME is set: there is no place to keep a context");
  }
  ZC_RETURN_IF_ERROR(MakeDirectories(directory_, 0700));
  return WriteFileDurably(PathOf(name), CredentialText(credential), 0600);
}

absl::StatusOr<Credential> Contexts::Get(const std::string& name) const {
  if (directory_.empty() || !CheckName(name).ok()) return Missing(name);
  const std::string path = PathOf(name);
  const auto text = ReadFile(path, kMaxFile);
  if (absl::IsNotFound(text.status())) return Missing(name);
  if (!text.ok()) return text.status();
  return ParseCredential(path, *text);
}

absl::Status Contexts::Remove(const std::string& name) const {
  if (directory_.empty() || !CheckName(name).ok()) return Missing(name);
  if (unlink(PathOf(name).c_str()) != 0) {
    return errno == ENOENT ? Missing(name) : ErrnoStatus(PathOf(name));
  }
  ZC_ASSIGN_OR_RETURN(const std::string current, Current());
  return current == name ? Use(kLocalContext) : absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Contexts::Names() const {
  std::vector<std::string> names;
  if (directory_.empty()) return names;
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(directory_.c_str()));
  if (directory == nullptr) {
    if (errno == ENOENT) return names;
    return ErrnoStatus(directory_);
  }
  while (const dirent* entry = readdir(directory.get())) {
    absl::string_view name = entry->d_name;
    if (absl::ConsumeSuffix(&name, kEnding) && CheckName(std::string(name)).ok()) {
      names.emplace_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace zcluster::ctl
