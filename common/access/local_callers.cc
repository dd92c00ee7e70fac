// SPDX-License-Identifier: Apache-2.0
#include "common/access/local_callers.h"

#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status.h"

namespace zcluster::access {
namespace {

// Linux allows a process so many.
constexpr size_t kMaxGroups = 65536;

// As /etc/passwd has it; empty if it does not.
std::string UserName(uid_t uid) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/etc/passwd", "re"), &std::fclose);
  if (file == nullptr) return "";
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  while (::fgetpwent_r(file.get(), &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (entry.pw_uid == uid) return entry.pw_name;
  }
  return "";
}

absl::StatusOr<std::vector<gid_t>> GroupsOf(int fd) {
  std::vector<gid_t> groups(64);
  for (;;) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      return groups;
    }
    if (errno != ERANGE || groups.size() >= kMaxGroups) return ErrnoStatus("SO_PEERGROUPS");
    groups.resize(kMaxGroups);
  }
}

}  // namespace

absl::StatusOr<Caller> CallerOf(int fd, absl::optional<gid_t> group) {
  ucred who{};
  socklen_t size = sizeof(who);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return ErrnoStatus("SO_PEERCRED");
  Caller caller;
  caller.from = absl::StrCat("local socket, pid ", who.pid);
  const std::string name = UserName(who.uid);
  caller.name = who.uid == 0 ? "root"
                             : absl::StrCat("uid ", who.uid,
                                            name.empty() ? "" : absl::StrCat(" (", name, ")"));
  if (who.uid == 0 || who.uid == ::geteuid()) {
    caller.right = Right::kAdmin;
    return caller;
  }
  if (group) {
    ZC_ASSIGN_OR_RETURN(const std::vector<gid_t> groups, GroupsOf(fd));
    if (who.gid == *group || std::find(groups.begin(), groups.end(), *group) != groups.end()) {
      caller.right = Right::kOperator;
      return caller;
    }
  }
  return absl::PermissionDeniedError(
      absl::StrCat(caller.name, " (", caller.from, ") is neither root nor in the group that may"));
}

void LocalCallers::Set(int fd, Caller caller) {
  absl::MutexLock lock(&mutex_);
  callers_[fd] = std::move(caller);
}

absl::optional<Caller> LocalCallers::Find(absl::string_view peer) const {
  int fd = -1;
  if (!absl::ConsumePrefix(&peer, "fd:") || !absl::SimpleAtoi(peer, &fd)) return absl::nullopt;
  absl::MutexLock lock(&mutex_);
  const auto found = callers_.find(fd);
  if (found == callers_.end()) return absl::nullopt;
  return found->second;
}

}  // namespace zcluster::access
