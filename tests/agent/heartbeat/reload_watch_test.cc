// SPDX-License-Identifier: Apache-2.0
// With a log of our own; that the real keepalived says these words is in reconfigure_test.cc.
#include "agent/heartbeat/reload_watch.h"

#include <gtest/gtest.h>

#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

class ReloadWatchTest : public testing::Test {
 protected:
  ReloadWatchTest() {
    std::string pattern = testing::TempDir() + "/zt-reload-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    log_ = directory_ + "/keepalived.log";
  }
  ~ReloadWatchTest() override { std::filesystem::remove_all(directory_); }

  void Append(const std::string& text) {
    const UniqueFd fd(::open(log_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // Watches, while `meanwhile` happens a moment later.
  absl::Status Watch(const std::function<void()>& meanwhile) {
    absl::Status answer = absl::UnknownError("no answer");
    ReloadWatch watch(loop_, log_);
    watch.Begin([&](const absl::Status& status) {
      answer = status;
      loop_.Quit();
    });
    const Loop::Registration later = loop_.After(absl::Milliseconds(20), meanwhile);
    loop_.Run();
    return answer;
  }

  Loop loop_;
  std::string directory_;
  std::string log_;
};

TEST_F(ReloadWatchTest, HearsTheLastWordOfAReload) {
  EXPECT_TRUE(Watch([&] { Append("Reloading\nReload complete\n"); }).ok());
}

TEST_F(ReloadWatchTest, DoesNotTakeAnOlderReloadForIt) {
  Append("Reload complete\n");
  const absl::Status status = Watch([&] { Append("Reloading\n"); });
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_NE(status.message().find(log_), std::string::npos);
}

TEST_F(ReloadWatchTest, HearsItThoughTheLogWasEmptied) {
  Append(std::string(10000, '\n'));
  EXPECT_TRUE(Watch([&] {
                ASSERT_EQ(::truncate(log_.c_str(), 0), 0);
                Append("Reload complete\n");
              }).ok());
}

TEST_F(ReloadWatchTest, HearsItAfterManyLines) {
  EXPECT_TRUE(Watch([&] { Append(std::string(3 << 20, '\n') + "Reload complete\n"); }).ok());
}

}  // namespace
}  // namespace zcluster::heartbeat
