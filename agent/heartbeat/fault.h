// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/heartbeat/options.h"
#include "agent/heartbeat/tracked_file.h"

namespace zcluster::heartbeat {

// The FAULT by which this node stands aside, and its lease. keepalived tracks the file of the one;
// the other lies beside it and is read by a script that keepalived runs each second: so a lease
// ends although no agent lives. Loop thread.
class Fault {
 public:
  // `options` outlive this.
  explicit Fault(const Options& options);

  // The script, which is to be there when keepalived starts.
  absl::Status Prepare();

  // Stands aside for `lease` from now on, whatever was set before. Infinite: until it is lifted.
  // `gate`: after a boot; an agent that starts meanwhile goes on with it.
  absl::Status Set(absl::Duration lease, bool gate = false);
  absl::Status Lift();
  // Writes anew what was set last, if somebody else changed or removed the file. Not once the lease
  // is over: then it was the script.
  absl::Status Mend();

  // Whether keepalived is told to stand aside, as the files are now.
  bool IsSet() const { return file_.Read() != 0; }
  // What was set last is no lease.
  bool lasts() const { return set_ && ends_ == absl::InfiniteDuration(); }

  // As the files are, whoever wrote them: what is left of a boot's gate, zero if none is in force;
  // and whether a fault stands that is no lease.
  absl::Duration GateLeft() const;
  bool FoundLasting() const;

 private:
  // The words of the lease.
  std::vector<std::string> Lease() const;

  const Options& options_;
  TrackedFile file_;
  bool set_ = false;
  bool known_ = false;                          // set or lifted by us
  absl::Duration ends_ = absl::ZeroDuration();  // of the lease, since the boot
};

// The script: POSIX shell, and but for the shell itself nothing is started. Never fails.
std::string LeaseScript(const Options& options);

}  // namespace zcluster::heartbeat
