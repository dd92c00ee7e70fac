// SPDX-License-Identifier: Apache-2.0
#include "common/console/process_metrics.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/unique_fd.h"
#include "tests/support/promtool.h"

namespace zcluster::http_console {
namespace {

std::map<std::string, double> Measured() {
  Metrics metrics;
  MeasureProcess(metrics);
  EXPECT_TRUE(test::PromtoolAccepts("check metrics", metrics.Text()));
  std::map<std::string, double> values;
  for (absl::string_view line : absl::StrSplit(metrics.Text(), '\n', absl::SkipEmpty())) {
    if (line[0] == '#') continue;
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    EXPECT_TRUE(absl::SimpleAtod(words[1], &values[words[0]])) << line;
  }
  return values;
}

TEST(ProcessMetrics, SayWhatTheProcessUses) {
  const std::map<std::string, double> values = Measured();
  EXPECT_EQ(values.size(), 6U);
  EXPECT_GE(values.at("process_cpu_seconds_total"), 0);
  EXPECT_LT(values.at("process_cpu_seconds_total"), 3600);
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(values.at("process_virtual_memory_bytes"), values.at("process_resident_memory_bytes"));
  EXPECT_GT(values.at("process_max_fds"), values.at("process_open_fds"));
}

TEST(ProcessMetrics, KnowWhenItStarted) {
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  const double started = Measured().at("process_start_time_seconds");
  EXPECT_LE(started, now + 2);  // the boot time is in whole seconds
  EXPECT_GT(started, now - 3600);
}

TEST(ProcessMetrics, CountOpenFiles) {
  const double before = Measured().at("process_open_fds");
  const UniqueFd one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd two(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(Measured().at("process_open_fds"), before + 2);
}

TEST(ProcessMetrics, CpuTimeGrowsWithWork) {
  const double before = Measured().at("process_cpu_seconds_total");
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  double now = before;
  while (now < before + 0.05 && absl::Now() < deadline) {
    for (int i = 0; i < 200; ++i) {
      Metrics work;
      MeasureProcess(work);
    }
    now = Measured().at("process_cpu_seconds_total");
  }
  EXPECT_GE(now, before + 0.05);
}

}  // namespace
}  // namespace zcluster::http_console
