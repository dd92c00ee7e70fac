// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/fleet/process.h"

#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::fleet_bench {

absl::StatusOr<Usage> UsageOf(pid_t pid) {
  ZC_ASSIGN_OR_RETURN(const std::string memory, ReadFile(absl::StrCat("/proc/", pid, "/statm")));
  ZC_ASSIGN_OR_RETURN(const std::string line, ReadFile(absl::StrCat("/proc/", pid, "/stat")));
  const std::vector<std::string> pages = absl::StrSplit(memory, ' ');
  // The name, in parentheses, may hold anything; user and system time are the 12th and 13th word
  // behind it (proc(5)).
  const std::vector<std::string> words = absl::StrSplit(line.substr(line.rfind(')') + 1), ' ');
  int64_t resident = 0, user = 0, system = 0;
  if (pages.size() < 2 || words.size() < 14 || !absl::SimpleAtoi(pages[1], &resident) ||
      !absl::SimpleAtoi(words[12], &user) || !absl::SimpleAtoi(words[13], &system)) {
    return absl::InternalError(absl::StrCat("/proc/", pid, " is not as expected"));
  }
  const double page_mib = static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  return Usage{.resident_mib = static_cast<double>(resident) * page_mib,
               .cpu = absl::Seconds(user + system) / ::sysconf(_SC_CLK_TCK)};
}

}  // namespace zcluster::fleet_bench
