// SPDX-License-Identifier: Apache-2.0
#include "common/access/local_listener.h"

#include <fcntl.h>
#include <grp.h>
#include <grpcpp/server_posix.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::access {
namespace {

constexpr int kBacklog = 128;
// So many before the loop sees to something else.
constexpr int kAtOnce = 32;
// How long to leave those who knock alone when there is no descriptor left.
constexpr absl::Duration kPause = absl::Milliseconds(200);

absl::Status CheckPath(const std::string& path) {
  constexpr size_t kMax = sizeof(sockaddr_un::sun_path) - 1;
  if (path.empty() || path[0] != '/') {
    return absl::InvalidArgumentError(absl::StrCat(path, ": a socket's path must be absolute"));
  }
  if (path.size() > kMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", path.size(), " bytes; a socket's path has at most ", kMax));
  }
  return absl::OkStatus();
}

absl::optional<gid_t> GroupId(const std::string& name) {
  std::array<char, 16384> buffer;
  group entry{};
  group* found = nullptr;
  if (name.empty() ||
      ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return absl::nullopt;
  }
  return entry.gr_gid;
}

// Gives `path` to the group, if there is one, then the mode.
absl::Status Share(const std::string& path, absl::optional<gid_t> group, mode_t mode) {
  if (group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) return ErrnoStatus(path);
  if (::chmod(path.c_str(), mode) != 0) return ErrnoStatus(path);
  return absl::OkStatus();
}

// Whoever may write in the directory may put his own socket in the place of ours.
absl::Status PrepareDirectory(const std::string& path, absl::optional<gid_t> group) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  ZC_RETURN_IF_ERROR(MakeDirectories(directory, 0700));
  struct stat info;
  if (::stat(directory.c_str(), &info) != 0) return ErrnoStatus(directory);
  if (info.st_uid != ::geteuid() || (info.st_mode & 0022) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(directory, ": others than us may change it (owner ", info.st_uid, ", mode ",
                     absl::Hex(info.st_mode >> 6 & 7), absl::Hex(info.st_mode >> 3 & 7),
                     absl::Hex(info.st_mode & 7),
                     "); chown it to us and chmod 0700, or choose another directory"));
  }
  // Only one that nobody else could enter: whatever is open to some already is somebody's choice,
  // or /run.
  if (group && (info.st_mode & 0077) == 0) return Share(directory, group, 0750);
  return absl::OkStatus();
}

sockaddr_un Address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Whether somebody accepts connections at `path`; a full backlog counts: he lives, if badly.
bool SomebodyListens(const std::string& path) {
  UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = Address(path);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return true;
  }
  return errno == EAGAIN;
}

absl::Status RemoveStale(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoStatus(path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, ": is not a socket; remove it, or choose another path"));
  }
  if (SomebodyListens(path)) {
    return absl::AlreadyExistsError(
        absl::StrCat(path,
                     ": another agent answers there; stop it first (systemctl stop zagent), "
                     "or give this one a path of its own"));
  }
  if (::unlink(path.c_str()) != 0) return ErrnoStatus(path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalListener>> LocalListener::Listen(Loop& loop,
                                                                     LocalCallers& callers,
                                                                     const std::string& path,
                                                                     const std::string& group) {
  const absl::optional<gid_t> id = GroupId(group);
  ZC_RETURN_IF_ERROR(CheckPath(path));
  ZC_RETURN_IF_ERROR(PrepareDirectory(path, id));
  ZC_RETURN_IF_ERROR(RemoveStale(path));
  std::unique_ptr<LocalListener> listener(new LocalListener(loop, callers, path, id));
  ZC_RETURN_IF_ERROR(listener->Open());
  return listener;
}

LocalListener::LocalListener(Loop& loop, LocalCallers& callers, std::string path,
                             absl::optional<gid_t> group)
    : loop_(loop), callers_(callers), path_(std::move(path)), group_(group) {}

LocalListener::~LocalListener() {
  pause_.reset();
  readable_.reset();
  struct stat info;
  if (inode_ != 0 && ::lstat(path_.c_str(), &info) == 0 && info.st_ino == inode_)
    ::unlink(path_.c_str());
}

absl::Status LocalListener::Open() {
  socket_.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) return ErrnoStatus(path_);
  const sockaddr_un address = Address(path_);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return ErrnoStatus(path_);
  struct stat info;
  if (::lstat(path_.c_str(), &info) != 0) return ErrnoStatus(path_);
  inode_ = info.st_ino;
  // Before we listen: until then nobody can connect, whatever our umask is.
  ZC_RETURN_IF_ERROR(Share(path_, group_, group_ ? 0660 : 0600));
  if (::listen(socket_.get(), kBacklog) != 0) return ErrnoStatus(path_);
  return absl::OkStatus();
}

void LocalListener::Serve(grpc::Server* server) {
  server_ = server;
  pause_.reset();
  readable_.reset();
  if (server_ != nullptr) readable_ = loop_.WatchReadable(socket_.get(), [this] { Accept(); });
}

void LocalListener::Accept() {
  for (int i = 0; i < kAtOnce; ++i) {
    UniqueFd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection) {
      Admit(std::move(connection));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN) return;
    // No descriptor or no memory: the socket stays readable, and the loop must not spin.
    log::Warning("local_accept_failed",
                 {{"problem", std::string(ErrnoStatus("accept").message())}});
    pause_ = loop_.After(kPause, [this] { Serve(server_); });
    readable_.reset();
    return;
  }
}

void LocalListener::Admit(UniqueFd connection) {
  absl::StatusOr<Caller> caller = CallerOf(connection.get(), group_);
  if (!caller.ok()) {
    // The socket's mode keeps others out; somebody has changed it.
    log::Warning("local_caller_refused", {{"reason", std::string(caller.status().message())}});
    return;
  }
  // Before gRPC has it: its first call may come at once.
  callers_.Set(connection.get(), *std::move(caller));
  grpc::AddInsecureChannelFromFd(server_, connection.Release());
}

}  // namespace zcluster::access
