// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/core/types.h"
#include "common/loop.h"
#include "common/unique_fd.h"

namespace zcluster::heartbeat {

// Takes apart what keepalived writes to its notify FIFO, in pieces as they come. Lines are such as
// `INSTANCE "zcluster" MASTER 252`; those of other instances or groups, and words that are no state
// (such as MASTER_RX_LOWER_PRI, which comes in streams after a split), are skipped. Keeps at most
// kLongestLine bytes.
class NotifyParser {
 public:
  static constexpr size_t kLongestLine = 512;

  // The states that the lines which end in `bytes` tell, in their order. STOP is kDown.
  std::vector<core::VrrpState> Feed(absl::string_view bytes);

 private:
  std::string line_;       // its beginning, without the end
  bool overlong_ = false;  // the line being read is too long: skipped to its end
};

// The FIFO that keepalived tells its transitions by. Loop thread.
class NotifyFifo {
 public:
  NotifyFifo(Loop& loop, std::string path) : loop_(loop), path_(std::move(path)) {}

  // Makes the FIFO (0600) if there is none, opens it, and calls `told` for each state that arrives.
  // It is kept open for writing too, so that it never ends. To be called again before keepalived is
  // started: a FIFO that was removed or replaced meanwhile is made and opened anew.
  // FAILED_PRECONDITION if something else has that name.
  absl::Status Open(std::function<void(core::VrrpState)> told);

  // Reads what is there now; `told` is not called for it.
  std::vector<core::VrrpState> Take();

  void Close();

 private:
  // Whether path_ still names what we have open.
  bool IsCurrent() const;

  Loop& loop_;
  std::string path_;
  UniqueFd fd_;
  NotifyParser parser_;
  std::function<void(core::VrrpState)> told_;
  Loop::Registration watch_;
};

}  // namespace zcluster::heartbeat
