// SPDX-License-Identifier: Apache-2.0
#include "common/access/audit_log.h"

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::access {
namespace {

constexpr size_t kMaxText = 1024;
// gRPC takes messages of 4 MiB unless told otherwise.
constexpr size_t kMaxAnswer = 3 << 20;

// Callers chose some of these bytes, and they end up on terminals.
void Clean(std::string* text) {
  std::string clean;
  for (const char c : *text) {
    if (clean.size() >= kMaxText) {
      clean += "...";
      break;
    }
    if (absl::ascii_isprint(static_cast<unsigned char>(c))) {
      clean += c;
    } else {
      absl::StrAppendFormat(&clean, "\\x%02x", static_cast<unsigned char>(c));
    }
  }
  *text = std::move(clean);
}

void SetTime(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out->set_seconds(seconds);
  out->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

std::string Line(const v1::AuditEntry& entry) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  // Cannot fail: the entry has neither Any fields nor odd times.
  (void)google::protobuf::util::MessageToJsonString(entry, &line, options);
  return absl::StrCat(line, "\n");
}

v1::AuditEntry Lost(uint64_t count) {
  v1::AuditEntry entry;
  SetTime(absl::Now(), entry.mutable_at());
  entry.set_who("zagent");
  entry.set_what("audit log");
  entry.set_result(absl::StrCat(count, " entries were lost: the disk did not keep up"));
  return entry;
}

absl::Status WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus("write");
    text.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// Durable: that a name stands for another file now.
absl::Status SyncDirectoryOf(const std::string& path) {
  const UniqueFd directory(
      ::open(path.substr(0, path.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return ErrnoStatus("fsync of its directory");
  return absl::OkStatus();
}

// Adds entries of the file's text, the newest first. A line that is none (the disk was full, the
// power went) is passed over.
void AddEntries(const std::string& text, size_t limit, size_t* bytes, v1::AuditResponse* response) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (static_cast<size_t>(response->entries_size()) >= limit) return;
    v1::AuditEntry entry;
    if (!google::protobuf::util::JsonStringToMessage(
             google::protobuf::StringPiece(line->data(), line->size()), &entry)
             .ok()) {
      continue;
    }
    *bytes += entry.ByteSizeLong() + 8;
    if (*bytes > kMaxAnswer) return;
    *response->add_entries() = std::move(entry);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(Options options) {
  std::unique_ptr<AuditLog> log(new AuditLog(std::move(options)));
  ZC_RETURN_IF_ERROR(Annotate(log->Reopen(), log->options_.path));
  log->thread_ = std::thread([raw = log.get()] { raw->Run(); });
  return log;
}

AuditLog::AuditLog(Options options) : options_(std::move(options)) {}

AuditLog::~AuditLog() {
  {
    absl::MutexLock lock(&mutex_);
    work_.last = true;
  }
  if (thread_.joinable()) thread_.join();
}

void AuditLog::Append(v1::AuditEntry entry) {
  SetTime(absl::Now(), entry.mutable_at());
  Clean(entry.mutable_who());
  Clean(entry.mutable_from());
  Clean(entry.mutable_what());
  Clean(entry.mutable_result());
  log::Info("audit", {{"who", entry.who()},
                      {"from", entry.from()},
                      {"what", entry.what()},
                      {"result", entry.result()}});
  absl::MutexLock lock(&mutex_);
  if (work_.entries.size() >= kMaxWaiting) {
    ++work_.lost;
  } else {
    work_.entries.push_back(std::move(entry));
  }
}

void AuditLog::Newest(size_t limit, Answer answer) {
  absl::MutexLock lock(&mutex_);
  work_.questions.push_back({limit, std::move(answer)});
}

void AuditLog::Run() {
  for (bool last = false; !last;) {
    Work work;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&work_, &Work::Any));
      std::swap(work, work_);
    }
    last = work.last;
    const absl::Status status = Write(work);
    if (!status.ok() && status.message() != problem_) {
      log::Error("audit_log_failed", {{"path", options_.path},
                                      {"problem", std::string(status.message())},
                                      {"remedy", "free the disk, or make it writable"}});
    }
    problem_ = std::string(status.message());
    for (const Question& question : work.questions) question.answer(Read(question.limit));
  }
}

absl::Status AuditLog::Write(const Work& work) {
  std::string lines;
  for (const v1::AuditEntry& entry : work.entries) lines += Line(entry);
  if (work.lost > 0) lines += Line(Lost(work.lost));
  if (lines.empty()) return absl::OkStatus();
  if (!file_) ZC_RETURN_IF_ERROR(Reopen());
  if (size_ > 0 && size_ + lines.size() > options_.max_bytes) ZC_RETURN_IF_ERROR(Rotate());
  size_ += lines.size();
  ZC_RETURN_IF_ERROR(WriteAll(file_.get(), lines));
  if (::fdatasync(file_.get()) != 0) return ErrnoStatus("fdatasync");
  return absl::OkStatus();
}

absl::Status AuditLog::Rotate() {
  if (std::rename(options_.path.c_str(), absl::StrCat(options_.path, ".1").c_str()) != 0)
    return ErrnoStatus("rename");
  file_.Reset();
  return Reopen();
}

absl::Status AuditLog::Reopen() {
  UniqueFd file(
      ::open(options_.path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat info;
  if (!file || ::fstat(file.get(), &info) != 0) return ErrnoStatus("open");
  if (::fchmod(file.get(), 0600) != 0) return ErrnoStatus("chmod");
  ZC_RETURN_IF_ERROR(SyncDirectoryOf(options_.path));
  size_ = static_cast<uint64_t>(info.st_size);
  // The power may have gone in the middle of a line: the next one stands alone.
  char end = '\n';
  if (size_ > 0 && ::pread(file.get(), &end, 1, info.st_size - 1) == 1 && end != '\n')
    ZC_RETURN_IF_ERROR(WriteAll(file.get(), "\n"));
  file_ = std::move(file);
  return absl::OkStatus();
}

absl::StatusOr<v1::AuditResponse> AuditLog::Read(size_t limit) const {
  v1::AuditResponse response;
  size_t bytes = 0;
  for (const std::string& path : {options_.path, absl::StrCat(options_.path, ".1")}) {
    // One batch may have been longer than a file shall be.
    absl::StatusOr<std::string> text = ReadFile(path, 2 * options_.max_bytes + (16 << 20));
    if (absl::IsNotFound(text.status())) continue;
    if (!text.ok()) return text.status();
    AddEntries(*text, limit, &bytes, &response);
  }
  return response;
}

}  // namespace zcluster::access
