// SPDX-License-Identifier: Apache-2.0
#include "common/console/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "common/file.h"

namespace zcluster::http_console {
namespace {

// Both files are of some kilobytes, but for machines with very many cores and interrupts.
constexpr size_t kMaxProcFile = 1 << 20;

// Seconds since 1970 when the machine booted.
absl::optional<double> BootTime() {
  const absl::StatusOr<std::string> text = ReadFile("/proc/stat", kMaxProcFile);
  if (!text.ok()) return absl::nullopt;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    double seconds = 0;
    if (absl::ConsumePrefix(&line, "btime ") && absl::SimpleAtod(line, &seconds)) return seconds;
  }
  return absl::nullopt;
}

// The numbers of /proc/self/stat from the third field on, as proc(5) counts them; the second, the
// program's name, may hold anything.
class Stat {
 public:
  Stat() {
    const absl::StatusOr<std::string> text = ReadFile("/proc/self/stat", kMaxProcFile);
    if (!text.ok()) return;
    const size_t name_end = text->rfind(')');
    if (name_end == std::string::npos) return;
    fields_ = absl::StrSplit(text->substr(name_end + 1), ' ', absl::SkipEmpty());
  }
  absl::optional<double> Field(size_t number) const {
    double value = 0;
    if (number < 3 || number - 3 >= fields_.size()) return absl::nullopt;
    if (!absl::SimpleAtod(fields_[number - 3], &value)) return absl::nullopt;
    return value;
  }

 private:
  std::vector<std::string> fields_;
};

absl::optional<double> OpenDescriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), &::closedir);
  if (directory == nullptr) return absl::nullopt;
  double count = -1;  // the directory's own
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count;
}

}  // namespace

void MeasureProcess(Metrics& metrics) {
  const Stat stat;
  const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const auto user = stat.Field(14);
  const auto system = stat.Field(15);
  if (user && system) {
    metrics.Counter("process_cpu_seconds_total", "CPU time used, user and system",
                    (*user + *system) / ticks);
  }
  const auto started = stat.Field(22);
  const auto boot = BootTime();
  if (started && boot) {
    metrics.Gauge("process_start_time_seconds", "When the process started, since 1970",
                  *boot + *started / ticks);
  }
  if (const auto size = stat.Field(23)) {
    metrics.Gauge("process_virtual_memory_bytes", "Address space in use", *size);
  }
  if (const auto resident = stat.Field(24)) {
    metrics.Gauge("process_resident_memory_bytes", "Memory in use", *resident * page);
  }
  if (const auto open = OpenDescriptors()) {
    metrics.Gauge("process_open_fds", "Open file descriptors", *open);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    metrics.Gauge("process_max_fds", "File descriptors that may be open",
                  static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace zcluster::http_console
