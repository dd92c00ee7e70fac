// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/loop.h"

namespace zcluster {

// Between SIGTERM and SIGKILL for a program that outlived its timeout.
inline constexpr absl::Duration kGrace = absl::Seconds(2);

// Most bytes of each output that are passed on.
inline constexpr size_t kMaxOutput = 1 << 20;

// How a program ended.
struct ProcessEnd {
  int exit_code = 0;
  absl::Duration took;
  std::string problem = {};  // why there is no exit code; empty otherwise
};

// One running program, in a process group of its own, with an environment of PATH and LANG alone,
// "/" as its directory, nothing on standard input and no descriptors of ours. Loop thread.
class Process {
 public:
  enum class Output { kStandardOutput, kStandardError };

  // How far it may go.
  struct Limits {
    absl::Duration timeout;
    absl::Duration grace = kGrace;  // zero: SIGKILL without a SIGTERM before
    // More is read, so that the program is not stopped by a full pipe, counted and thrown away; a
    // last line on standard error says how much.
    size_t output = kMaxOutput;
    // What it leaves behind in its group is killed, however it ended.
    bool leaves_nothing = false;
  };

  // Pieces of at most 64 KiB, as they come.
  using OnOutput = std::function<void(Output from, absl::string_view bytes)>;
  // Called once, after the last output; the Process may be destroyed in it. Not called after the
  // destructor.
  using OnEnd = std::function<void(const ProcessEnd&)>;

  // Runs argv[0], an absolute path, without a shell. After the timeout the whole group gets
  // SIGTERM, and SIGKILL when the program has ended, or the grace is over. It counts as ended when
  // the program itself has; what children that it left behind still print is not awaited. An error
  // says that the program could not be started.
  static absl::StatusOr<std::unique_ptr<Process>> Start(Loop& loop,
                                                        const std::vector<std::string>& argv,
                                                        const Limits& limits, OnOutput on_output,
                                                        OnEnd on_end);
  // A program that still runs gets SIGTERM, with its group, and is left to itself; one without
  // grace gets SIGKILL.
  virtual ~Process() = default;
};

}  // namespace zcluster
