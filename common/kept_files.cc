// SPDX-License-Identifier: Apache-2.0
#include "common/kept_files.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::kept {
namespace {

namespace fs = std::filesystem;

constexpr char kInfo[] = "/info";
constexpr char kFiles[] = "/files/";

// A line each, so that a person who only has a shell can read it too.
std::string Info(const Set& set) {
  std::string text = absl::StrCat("root ", absl::CEscape(set.root), "\nterm ", set.term,
                                  "\nleft_out ", set.left_out, "\n");
  for (const std::string& file : set.files) {
    absl::StrAppend(&text, "file ", absl::CEscape(file), "\n");
  }
  return text;
}

absl::StatusOr<Set> ReadSet(const std::string& directory, const std::string& id) {
  const std::string path = absl::StrCat(directory, "/", id);
  ZC_ASSIGN_OR_RETURN(const std::string text, ReadFile(path + kInfo));
  Set set;
  set.id = id;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> words =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    std::string value;
    bool good = absl::CUnescape(words.second, &value);
    if (words.first == "root") set.root = value;
    if (words.first == "term") good = good && absl::SimpleAtoi(value, &set.term);
    if (words.first == "left_out") good = good && absl::SimpleAtoi(value, &set.left_out);
    if (words.first == "file") set.files.push_back(absl::StrCat(path, kFiles, value));
    if (!good) return absl::DataLossError(absl::StrCat(path, kInfo, ": damaged: ", line));
  }
  return set;
}

absl::StatusOr<std::vector<std::string>> Ids(const std::string& directory) {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    if (name[0] != '.') ids.push_back(name);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return absl::InternalError(absl::StrCat(directory, ": ", error.message()));
  std::sort(ids.begin(), ids.end());
  return ids;
}

absl::Status SyncDirectory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::fsync(fd.get()) == 0 ? absl::OkStatus() : ErrnoStatus(path);
}

}  // namespace

absl::StatusOr<std::vector<Set>> List(const std::string& directory) {
  ZC_ASSIGN_OR_RETURN(const std::vector<std::string> ids, Ids(directory));
  std::vector<Set> sets;
  for (const std::string& id : ids) {
    ZC_ASSIGN_OR_RETURN(Set set, ReadSet(directory, id));
    sets.push_back(std::move(set));
  }
  return sets;
}

absl::Status Drop(const std::string& directory, const std::string& id) {
  ZC_ASSIGN_OR_RETURN(const std::vector<std::string> ids, Ids(directory));
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
    return absl::NotFoundError(absl::StrCat("no files are kept aside under the name ", id));
  }
  // Hidden first, by one rename: a crash in between leaves it whole or gone.
  const std::string hidden = directory + "/.old";
  std::error_code error;
  fs::remove_all(hidden, error);
  if (std::rename(absl::StrCat(directory, "/", id).c_str(), hidden.c_str()) != 0)
    return ErrnoStatus(directory);
  fs::remove_all(hidden, error);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Maker>> Maker::Begin(const std::string& directory,
                                                    const std::string& root, uint64_t term) {
  std::unique_ptr<Maker> maker(new Maker(directory, root, term));
  std::error_code error;
  fs::remove_all(maker->Under(), error);  // of a crash
  ZC_RETURN_IF_ERROR(MakeDirectories(directory, 0700));
  ZC_RETURN_IF_ERROR(MakeDirectories(maker->Under() + kFiles, 0700));
  return maker;
}

Maker::~Maker() {
  std::error_code error;
  fs::remove_all(Under(), error);
}

absl::StatusOr<std::string> Maker::PlaceFor(absl::string_view path, uint64_t size) {
  if (paths_.size() >= kMostFiles || bytes_ + size > kMostBytes) {
    ++left_out_;
    return "";
  }
  bytes_ += size;
  paths_.emplace_back(path);
  const std::string place = absl::StrCat(Under(), kFiles, path);
  ZC_RETURN_IF_ERROR(MakeDirectories(fs::path(place).parent_path(), 0700));
  return place;
}

absl::Status Maker::AddFile(absl::string_view path, UniqueFd from) {
  struct stat info = {};
  if (::fstat(from.get(), &info) != 0) return ErrnoStatus("fstat");
  ZC_ASSIGN_OR_RETURN(const std::string place, PlaceFor(path, static_cast<uint64_t>(info.st_size)));
  if (place.empty()) return absl::OkStatus();
  const UniqueFd to(::open(place.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to) return ErrnoStatus(place);
  for (off_t left = info.st_size; left > 0;) {
    // Not copy_file_range: between two filesystems the kernel refuses it (EXDEV, from 5.19 on).
    const ssize_t copied = ::sendfile(to.get(), from.get(), nullptr, static_cast<size_t>(left));
    if (copied < 0) return ErrnoStatus(place);
    if (copied == 0) break;  // it became shorter
    left -= copied;
  }
  if (::fchown(to.get(), info.st_uid, info.st_gid) != 0) return ErrnoStatus(place);
  if (::fchmod(to.get(), info.st_mode & 01777) != 0) return ErrnoStatus(place);
  return ::fsync(to.get()) == 0 ? absl::OkStatus() : ErrnoStatus(place);
}

absl::Status Maker::AddSymlink(absl::string_view path, const std::string& target) {
  ZC_ASSIGN_OR_RETURN(const std::string place, PlaceFor(path, 0));
  if (place.empty() || ::symlink(target.c_str(), place.c_str()) == 0) return absl::OkStatus();
  return ErrnoStatus(place);
}

absl::StatusOr<std::string> Maker::Finish(absl::Time now) {
  ZC_RETURN_IF_ERROR(
      WriteFileDurably(Under() + kInfo, Info({"", root_, term_, paths_, left_out_}), 0600));
  const UniqueFd fd(::open(Under().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::syncfs(fd.get()) != 0) return ErrnoStatus(Under());
  ZC_ASSIGN_OR_RETURN(std::vector<std::string> ids, Ids(directory_));
  for (; ids.size() >= kMostSets; ids.erase(ids.begin())) {
    ZC_RETURN_IF_ERROR(Drop(directory_, ids.front()));
  }
  // Several roots may be overwritten within a second.
  const std::string time = absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone());
  std::string id = time;
  for (int i = 2; std::find(ids.begin(), ids.end(), id) != ids.end(); ++i)
    id = absl::StrCat(time, "-", i);
  if (std::rename(Under().c_str(), absl::StrCat(directory_, "/", id).c_str()) != 0)
    return ErrnoStatus(directory_);
  ZC_RETURN_IF_ERROR(SyncDirectory(directory_));
  return id;
}

}  // namespace zcluster::kept
