// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/access/local_callers.h"
#include "common/loop.h"
#include "common/unique_fd.h"

namespace grpc {
class Server;
}  // namespace grpc

namespace zcluster::access {

// The group whose members are operators on this node.
inline constexpr char kOperatorsGroup[] = "zcluster";

// The UNIX socket on which this node's users are served. Ours, not gRPC's, because gRPC does not
// tell who connected. Loop thread, or when no loop runs.
class LocalListener {
 public:
  // Listens at `path`. Connections wait until there is a server. If `group` exists, the socket has
  // mode 0660 and belongs to it, else 0600; a directory that is missing is made, 0750 or 0700, and
  // one that was ours alone is opened to the group likewise. What a dead agent left there is
  // replaced. INVALID_ARGUMENT: a path that UNIX sockets cannot have; ALREADY_EXISTS: a living
  // agent answers there, or something else lies there; PERMISSION_DENIED: others may change the
  // directory. Each says what to do. `loop` and `callers` outlive this and its servers.
  static absl::StatusOr<std::unique_ptr<LocalListener>> Listen(Loop& loop, LocalCallers& callers,
                                                               const std::string& path,
                                                               const std::string& group);
  // Listens no longer; connections stay with their servers.
  ~LocalListener();

  // Connections go to `server` from now on, those that waited too; those that an older one has stay
  // with it. Null: they wait. Must be set to another before a server is shut down.
  void Serve(grpc::Server* server);

 private:
  LocalListener(Loop& loop, LocalCallers& callers, std::string path, absl::optional<gid_t> group);
  absl::Status Open();
  void Accept();
  void Admit(UniqueFd connection);

  Loop& loop_;
  LocalCallers& callers_;
  const std::string path_;
  const absl::optional<gid_t> group_;
  UniqueFd socket_;
  ino_t inode_ = 0;  // of the socket's file: another agent's in its place is not ours to remove
  grpc::Server* server_ = nullptr;
  Loop::Registration readable_;
  Loop::Registration pause_;
};

}  // namespace zcluster::access
