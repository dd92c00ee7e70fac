// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/transfer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

constexpr size_t kMaxPartBytes = 512 << 10;

v1::EntryType ToProto(EntryType type) {
  switch (type) {
    case EntryType::kFile:
      return v1::ENTRY_TYPE_FILE;
    case EntryType::kDirectory:
      return v1::ENTRY_TYPE_DIRECTORY;
    case EntryType::kSymlink:
      return v1::ENTRY_TYPE_SYMLINK;
  }
  return v1::ENTRY_TYPE_UNSPECIFIED;
}

absl::StatusOr<EntryType> FromProto(v1::EntryType type) {
  switch (type) {
    case v1::ENTRY_TYPE_FILE:
      return EntryType::kFile;
    case v1::ENTRY_TYPE_DIRECTORY:
      return EntryType::kDirectory;
    case v1::ENTRY_TYPE_SYMLINK:
      return EntryType::kSymlink;
    default:
      return absl::InvalidArgumentError(absl::StrCat("has the unknown type ", type));
  }
}

}  // namespace

void FillPart(const Manifest& manifest, size_t& at, v1::ManifestPart& part) {
  size_t bytes = 0;
  while (at < manifest.entries.size() && part.entries_size() < kMaxPartEntries &&
         bytes < kMaxPartBytes) {
    const Entry& from = manifest.entries[at++];
    v1::Entry& to = *part.add_entries();
    to.set_path(from.path);
    to.set_type(ToProto(from.type));
    to.set_mode(from.mode);
    to.set_uid(from.uid);
    to.set_gid(from.gid);
    to.set_size(from.size);
    if (from.type == EntryType::kFile) to.set_digest(from.digest.Bytes());
    to.set_target(from.target);
    bytes += from.path.size() + from.target.size();
  }
  part.set_last(at == manifest.entries.size());
}

absl::Status TakePart(const v1::ManifestPart& part, Manifest& manifest) {
  if (part.entries_size() > kMaxPartEntries) {
    return absl::InvalidArgumentError(
        absl::StrCat("a part of a manifest with more than ", kMaxPartEntries, " entries"));
  }
  for (const v1::Entry& from : part.entries()) {
    if (manifest.entries.size() >= kMaxEntries) {
      return absl::InvalidArgumentError(
          absl::StrCat("a manifest of more than ", kMaxEntries, " entries"));
    }
    Entry& to = manifest.entries.emplace_back();
    to.path = from.path();
    to.mode = from.mode();
    to.uid = from.uid();
    to.gid = from.gid();
    to.size = from.size();
    to.target = from.target();
    auto type = FromProto(from.type());
    if (!type.ok()) return Annotate(type.status(), absl::StrCat("'", Shown(from.path()), "'"));
    to.type = *type;
    if (to.type == EntryType::kFile) {
      auto digest = Digest::FromBytes(from.digest());
      if (!digest.ok()) return Annotate(digest.status(), absl::StrCat("'", Shown(to.path), "'"));
      to.digest = *digest;
    } else if (!from.digest().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", Shown(to.path), "' is no file and has a digest"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<FileSource> FileSource::Open(const Tree& tree, const Entry& entry) {
  ZC_ASSIGN_OR_RETURN(UniqueFd fd, tree.OpenAt(entry.path, O_RDONLY | O_NONBLOCK));
  return FileSource(std::move(fd), Content{entry.size, entry.digest});
}

absl::Status FileSource::Fill(size_t limit, v1::FilePart& part) {
  std::string& content = *part.mutable_content();
  content.resize(static_cast<size_t>(std::min<uint64_t>(limit, expected_.size - sent_)));
  size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(fd_.get(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("read");
    if (got == 0) return absl::AbortedError("became shorter while it was read");
    filled += static_cast<size_t>(got);
  }
  sent_ += filled;
  hasher_->Add(content);
  part.set_digest(expected_.digest.Bytes());
  part.set_last(sent_ == expected_.size);
  if (part.last() && hasher_->Finish() != expected_.digest) {
    return absl::AbortedError("changed while it was read");
  }
  return absl::OkStatus();
}

}  // namespace zcluster::configsync
