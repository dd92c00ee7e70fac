// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"

namespace zcluster::heartbeat {

// A file with one number, which keepalived watches by inotify (it reacts within 3 ms). It is
// derived from what is durable elsewhere and written anew at each start of the agent, before
// keepalived is started: so it is replaced atomically, but does not wait for the disk. It must
// never be unlinked: to keepalived that is a 0.
class TrackedFile {
 public:
  explicit TrackedFile(std::string path) : path_(std::move(path)) {}

  // Nothing is written if it was `value` that was written last, and still is there.
  absl::Status Write(int value);

  // Writes a 0 if there is no file.
  absl::Status EnsureExists();

  // As keepalived reads it: 0 if there is no file, or no number in it.
  int Read() const;

 private:
  std::string path_;
  absl::optional<int> written_;
};

}  // namespace zcluster::heartbeat
