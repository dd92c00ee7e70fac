// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "zcluster/v1/event.pb.h"

namespace zcluster::events {

// A directory that goes with the test, and a path for a journal in it.
class Scratch : public testing::Test {
 protected:
  Scratch() {
    std::string pattern = testing::TempDir() + "zc-events-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/events.db";
  }
  ~Scratch() override { std::filesystem::remove_all(directory_); }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      names.push_back(entry.path().filename().string());
    return names;
  }

  std::string directory_;
  std::string path_;
};

inline bool WaitUntil(absl::Duration patience, const std::function<bool()>& met) {
  const absl::Time deadline = absl::Now() + patience;
  while (!met()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

// `count` events, called e`first`, e`first + 1`, …
inline std::vector<v1::Event> Events(uint64_t first, uint64_t count) {
  std::vector<v1::Event> events(count);
  for (uint64_t i = 0; i < count; ++i) events[i].set_name(absl::StrCat("e", first + i));
  return events;
}

}  // namespace zcluster::events
