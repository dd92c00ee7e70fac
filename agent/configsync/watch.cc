// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/configsync/manifest.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

// The same for all: a directory that is watched for two reasons has one watch, with one mask.
constexpr uint32_t kMask = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE |
                           IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
                           IN_EXCL_UNLINK | IN_ONLYDIR;

}  // namespace

absl::StatusOr<std::unique_ptr<Watch>> Watch::Open() {
  UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd) {
    return Annotate(ErrnoStatus("inotify"),
                    "cannot watch files; raise fs.inotify.max_user_instances");
  }
  return std::unique_ptr<Watch>(new Watch(std::move(fd)));
}

void Watch::BeginPass(size_t /*root*/) { ++pass_; }

absl::StatusOr<Watch::Interest*> Watch::Register(size_t root, const std::string& path) {
  const int wd = ::inotify_add_watch(inotify_.get(), path.c_str(), kMask);
  if (wd < 0 && errno == ENOSPC) {
    return absl::ResourceExhaustedError(
        "not all directories can be watched: raise fs.inotify.max_user_watches");
  }
  if (wd < 0) return ErrnoStatus("inotify_add_watch");
  return &interests_[wd][root];
}

absl::Status Watch::Add(size_t root, int fd) {
  ZC_ASSIGN_OR_RETURN(Interest * interest, Register(root, absl::StrCat("/proc/self/fd/", fd)));
  interest->whole = true;
  interest->pass = pass_;
  return absl::OkStatus();
}

absl::Status Watch::AddName(size_t root, const std::string& directory, const std::string& name) {
  ZC_ASSIGN_OR_RETURN(Interest * interest, Register(root, directory));
  if (interest->pass != pass_) interest->whole = false;  // it may have been a directory of the root
  interest->name = name;
  interest->pass = pass_;
  return absl::OkStatus();
}

void Watch::EndPass(size_t root) {
  std::vector<int> unused;
  for (auto& [wd, interests] : interests_) {
    auto interest = interests.find(root);
    if (interest == interests.end() || interest->second.pass == pass_) continue;
    interests.erase(interest);
    if (interests.empty()) unused.push_back(wd);
  }
  for (int wd : unused) {
    interests_.erase(wd);
    ::inotify_rm_watch(inotify_.get(), wd);
  }
}

Watch::Changes Watch::Read() {
  Changes changes;
  alignas(inotify_event) std::array<char, 64 << 10> buffer;
  while (true) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return changes;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0) changes.overflow = true;
      auto interests = interests_.find(event->wd);
      if (interests == interests_.end()) continue;
      const absl::string_view name = event->len > 0 ? event->name : "";
      if (absl::StartsWith(name, kStagePrefix)) continue;
      for (const auto& [root, interest] : interests->second) {
        if (interest.whole || name.empty() || name == interest.name) changes.roots.insert(root);
      }
      if ((event->mask & IN_IGNORED) != 0) interests_.erase(event->wd);
    }
  }
}

}  // namespace zcluster::configsync
