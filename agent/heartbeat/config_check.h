// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "agent/heartbeat/options.h"
#include "common/child.h"
#include "common/loop.h"
#include "common/unique_fd.h"

namespace zcluster::heartbeat {

// Asks keepalived whether it would take a configuration: at run time it only ignores what it does
// not understand. Changes nothing but the file that it asks with. One question at a time; takes
// some 15 ms, of which the loop waits for none. Loop thread, in whose network namespace the
// interfaces are looked up.
class ConfigCheck {
 public:
  explicit ConfigCheck(Loop& loop) : loop_(loop) {}
  ~ConfigCheck() { Cancel(); }

  // Writes `text` into `path`, where it stays, and asks. `done` is called once, later:
  // INVALID_ARGUMENT with keepalived's words if it refuses, DEADLINE_EXCEEDED if it does not
  // answer.
  void Begin(const Options& options, const std::string& path, const std::string& text,
             std::function<void(const absl::Status&)> done);
  // In the place of Begin(), of a configuration that need not be asked about.
  void Refuse(const absl::Status& why, std::function<void(const absl::Status&)> done);
  bool under_way() const { return done_ != nullptr; }
  // `done` will not be called.
  void Cancel();

 private:
  absl::Status Ask(const Options& options, const std::string& path, const std::string& text);
  absl::Status Answer();
  void Finish(const absl::Status& status);

  Loop& loop_;
  std::function<void(const absl::Status&)> done_;
  absl::optional<Child> keepalived_;
  UniqueFd output_;
  Loop::Registration watch_;
  Loop::Registration limit_;
};

}  // namespace zcluster::heartbeat
