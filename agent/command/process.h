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

namespace zcluster::command {

enum class Output { kStandardOutput, kStandardError };

// Most bytes of each output that are passed on. More is read, so that the program is not stopped by
// a full pipe, counted and thrown away.
inline constexpr size_t kMaxOutput = 1 << 20;

// Time between SIGTERM and SIGKILL for a program that outlived its timeout.
inline constexpr absl::Duration kGrace = absl::Seconds(2);

// How a program ended.
struct Outcome {
  int exit_code = 0;
  absl::Duration took;
  std::string problem;  // why there is no exit code; empty otherwise
};

// One running program, in a process group of its own, with an environment of PATH and LANG alone,
// "/" as its directory, nothing on standard input and no descriptors of ours. Loop thread.
class Process {
 public:
  // Pieces of at most 64 KiB, as they come.
  using OnOutput = std::function<void(Output from, absl::string_view bytes)>;
  // Called once, after the last output; the Process may be destroyed in it. Not called after the
  // destructor.
  using OnEnd = std::function<void(const Outcome&)>;

  // Runs argv[0], an absolute path, without a shell. After `timeout` the whole group gets SIGTERM,
  // and SIGKILL when the program has ended, or kGrace later. It counts as ended when the program
  // itself has; what children that it left behind still print is not awaited. An error says that
  // the program could not be started.
  static absl::StatusOr<std::unique_ptr<Process>> Start(Loop& loop,
                                                        const std::vector<std::string>& argv,
                                                        absl::Duration timeout, OnOutput on_output,
                                                        OnEnd on_end);
  // A program that still runs gets SIGTERM, with its group, and is left to itself.
  virtual ~Process() = default;
};

}  // namespace zcluster::command
