// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"

// Files for tests, and waiting.
namespace zcluster::configsync {

// A directory of its own, removed at the end.
class Scratch {
 public:
  Scratch() {
    char pattern[] = "/tmp/zt-configsync-XXXXXX";
    path_ = ::mkdtemp(pattern);
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline void Write(const std::string& path, const std::string& content, mode_t mode = 0644) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
  ::chmod(path.c_str(), mode);
}

// "(none)" if there is no such regular file.
inline std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!std::filesystem::is_regular_file(path) || !file) return "(none)";
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline mode_t ModeOf(const std::string& path) {
  struct stat stat {};
  return ::lstat(path.c_str(), &stat) == 0 ? stat.st_mode & 07777 : 0;
}

inline uid_t OwnerOf(const std::string& path) {
  struct stat stat {};
  return ::lstat(path.c_str(), &stat) == 0 ? stat.st_uid : 0;
}

// Polls until `condition` holds; false after a time that only a broken product needs.
inline bool WaitUntil(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace zcluster::configsync
