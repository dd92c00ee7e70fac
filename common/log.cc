// SPDX-License-Identifier: Apache-2.0
#include "common/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace zcluster::log {
namespace {

bool NeedsQuotes(absl::string_view value) {
  if (value.empty()) return true;
  for (char c : value) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c)) || c == '"' || c == '\\' || c == '=') {
      return true;
    }
  }
  return false;
}

// Values may come from the network: what is not printable ASCII or UTF-8 text is escaped, so that a
// line stays a line.
void AppendValue(absl::string_view value, std::string& line) {
  if (!NeedsQuotes(value)) {
    absl::StrAppend(&line, value);
    return;
  }
  line.push_back('"');
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line.push_back('\\');
      line.push_back(c);
    } else if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppend(&line, absl::StrFormat("\\x%02x", byte));
    } else {
      line.push_back(c);
    }
  }
  line.push_back('"');
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("zcluster",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    // Under systemd the journal has the time, and reads the priority from the prefix.
    const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
    made->set_pattern(journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *logger;
}

void Write(spdlog::level::level_enum level, absl::string_view prefix, absl::string_view word,
           absl::string_view event, const Fields& fields) {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  std::string line = journal ? std::string(prefix) : absl::StrCat(word, " ");
  absl::StrAppend(&line, event);
  for (const auto& [key, value] : fields) {
    absl::StrAppend(&line, " ", key, "=");
    AppendValue(value, line);
  }
  Logger().log(level, line);
}

}  // namespace

void Info(absl::string_view event, const Fields& fields) {
  Write(spdlog::level::info, "<6>", "info", event, fields);
}

void Warning(absl::string_view event, const Fields& fields) {
  Write(spdlog::level::warn, "<4>", "warning", event, fields);
}

void Error(absl::string_view event, const Fields& fields) {
  Write(spdlog::level::err, "<3>", "error", event, fields);
}

}  // namespace zcluster::log
