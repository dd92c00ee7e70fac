// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "common/access.h"

namespace zcluster::access {

// Who connected the UNIX socket `fd`, as the kernel tells it, at the moment of the connect: root
// and whoever we run as are admins, members of `group` (if there is one) operators.
// PERMISSION_DENIED for others. Asks no directory service, which may hang: users that only one
// knows have a number and no name.
absl::StatusOr<Caller> CallerOf(int fd, absl::optional<gid_t> group);

// Who is at the other end of each connection of the local socket. gRPC knows such a connection by
// the number of its descriptor alone, and closes it itself. A number that comes round again cannot
// be taken for the old one while it matters: gRPC keeps the descriptor open until the last call
// over it has ended (held to by local_listener_test). Any thread.
class LocalCallers {
 public:
  // In place of whoever had that number before.
  void Set(int fd, Caller caller) ABSL_LOCKS_EXCLUDED(mutex_);
  // `peer` as gRPC writes it, "fd:13". Valid while a call over that connection is open.
  absl::optional<Caller> Find(absl::string_view peer) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  // One for each number ever used: at most as many as we may open.
  std::map<int, Caller> callers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zcluster::access
