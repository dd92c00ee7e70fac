// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/manifest.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

std::vector<absl::string_view> Components(absl::string_view path) {
  if (path.empty()) return {};
  return absl::StrSplit(path, '/');
}

absl::Status Invalid(absl::string_view path, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("'", Shown(path), "' ", problem));
}

absl::Status CheckFields(absl::string_view root, const Entry& entry) {
  ZC_RETURN_IF_ERROR(CheckPath(entry.path));
  if ((entry.mode & ~AllowedMode(entry.type)) != 0) {
    return Invalid(entry.path, "has mode bits that are not replicated");
  }
  if (entry.type != EntryType::kFile && (entry.size != 0 || entry.digest != Digest{})) {
    return Invalid(entry.path, "is no file and has a content");
  }
  if (entry.size > kMaxFileSize) return Invalid(entry.path, "is larger than 1 GiB");
  if (entry.type == EntryType::kSymlink) return CheckTarget(root, entry.path, entry.target);
  if (!entry.target.empty()) return Invalid(entry.path, "is no symbolic link and has a target");
  return absl::OkStatus();
}

}  // namespace

Digest Manifest::RootDigest() const {
  Hasher hasher;
  hasher.AddNumber(entries.size());
  for (const Entry& entry : entries) {
    hasher.AddText(entry.path);
    hasher.AddNumber(static_cast<uint64_t>(entry.type));
    hasher.AddNumber(entry.mode);
    hasher.AddNumber(entry.uid);
    hasher.AddNumber(entry.gid);
    hasher.AddNumber(entry.size);
    hasher.AddNumber(entry.digest.high);
    hasher.AddNumber(entry.digest.low);
    hasher.AddText(entry.target);
  }
  return hasher.Finish();
}

bool Manifest::HasContent() const {
  return entries.size() > 1 || (!entries.empty() && entries[0].type != EntryType::kDirectory);
}

const Entry* Manifest::Find(absl::string_view path) const {
  auto found = std::lower_bound(
      entries.begin(), entries.end(), path,
      [](const Entry& entry, absl::string_view wanted) { return entry.path < wanted; });
  return found != entries.end() && found->path == path ? &*found : nullptr;
}

uint32_t AllowedMode(EntryType type) {
  constexpr uint32_t kPermissions = S_IRWXU | S_IRWXG | S_IRWXO | S_ISVTX;
  switch (type) {
    case EntryType::kFile:
      return kPermissions;
    case EntryType::kDirectory:
      return kPermissions | S_ISGID;
    case EntryType::kSymlink:
      return 0;  // Linux does not use it
  }
  return 0;
}

absl::Status CheckPath(absl::string_view path) {
  if (path.empty()) return absl::OkStatus();
  if (path.size() > kMaxPath) return Invalid(path.substr(0, 64), "... is a path that is too long");
  if (path.find('\0') != absl::string_view::npos) return Invalid(path, "has a NUL in it");
  const auto components = Components(path);
  if (components.size() > kMaxDepth) return Invalid(path, "is too deep");
  for (absl::string_view component : components) {
    if (component.empty()) return Invalid(path, "is absolute or has an empty component");
    if (component == "." || component == "..") return Invalid(path, "has a '.' or '..' in it");
    if (component.size() > kMaxComponent) return Invalid(path, "has a name that is too long");
    if (absl::StartsWith(component, kStagePrefix)) return Invalid(path, "has a name of zagent's");
  }
  return absl::OkStatus();
}

absl::Status CheckTarget(absl::string_view root, absl::string_view path, absl::string_view target) {
  if (target.empty() || target.size() > kMaxPath || target.find('\0') != absl::string_view::npos) {
    return Invalid(path, "is a symbolic link without a usable target");
  }
  // How many leading ".." are too many. An absolute target may only name this root again.
  size_t up_left = Components(ParentOf(path)).size();
  absl::string_view rest = target;
  if (target[0] == '/') {
    if (target != root && !absl::StartsWith(target, absl::StrCat(root, "/"))) {
      return Invalid(path, absl::StrCat("is a symbolic link out of the root, to ", Shown(target)));
    }
    rest = target.substr(root.size());
    up_left = 0;
  }
  for (absl::string_view component : Components(rest)) {
    if (component.empty() || component == ".") continue;
    if (component != "..") {
      up_left = 0;
    } else if (up_left-- == 0) {
      return Invalid(path, absl::StrCat("is a symbolic link out of the root, to ", Shown(target)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckManifest(absl::string_view root, const Manifest& manifest) {
  if (manifest.entries.empty()) return absl::OkStatus();
  if (manifest.entries.size() > kMaxEntries) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxEntries, " entries"));
  }
  const Entry& first = manifest.entries.front();
  if (!first.path.empty() || first.type == EntryType::kSymlink) {
    return absl::InvalidArgumentError("the first entry is not the root");
  }
  absl::flat_hash_set<absl::string_view> directories;
  absl::flat_hash_map<Digest, uint64_t> sizes;
  const Entry* previous = nullptr;
  for (const Entry& entry : manifest.entries) {
    ZC_RETURN_IF_ERROR(CheckFields(root, entry));
    if (previous != nullptr) {
      if (entry.path <= previous->path) return Invalid(entry.path, "is out of order, or twice");
      if (!directories.contains(ParentOf(entry.path))) {
        return Invalid(entry.path, "lies in what is no directory of the manifest");
      }
    }
    if (entry.type == EntryType::kDirectory) directories.insert(entry.path);
    if (entry.type == EntryType::kFile &&
        sizes.try_emplace(entry.digest, entry.size).first->second != entry.size) {
      return Invalid(entry.path, "has the digest of a file of another size");
    }
    previous = &entry;
  }
  return absl::OkStatus();
}

bool IsExcluded(const std::vector<std::string>& patterns, absl::string_view path) {
  if (patterns.empty()) return false;
  for (absl::string_view component : Components(path)) {
    const std::string name(component);
    for (const std::string& pattern : patterns) {
      if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) return true;
    }
  }
  return false;
}

absl::string_view ParentOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view() : path.substr(0, slash);
}

std::string Shown(absl::string_view path) {
  constexpr size_t kMaxShown = 200;
  const std::string escaped = absl::CHexEscape(path.substr(0, kMaxShown));
  return path.size() > kMaxShown ? absl::StrCat(escaped, "...") : escaped;
}

}  // namespace zcluster::configsync
