// SPDX-License-Identifier: Apache-2.0
#include "agent/api/local_server.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::api {
namespace {

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

// Whoever may write in the directory may put his own socket in the place of ours.
absl::Status PrepareDirectory(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  ZC_RETURN_IF_ERROR(MakeDirectories(directory, 0700));
  struct stat info;
  if (stat(directory.c_str(), &info) != 0) return ErrnoStatus(directory);
  if (info.st_uid != geteuid() || (info.st_mode & 0022) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(directory, ": others than us may change it (owner ", info.st_uid, ", mode ",
                     absl::Hex(info.st_mode >> 6 & 7), absl::Hex(info.st_mode >> 3 & 7),
                     absl::Hex(info.st_mode & 7),
                     "); chown it to us and chmod 0700, or choose another directory"));
  }
  return absl::OkStatus();
}

// Whether somebody accepts connections at `path`; a full backlog counts: he lives, if badly.
bool SomebodyListens(const std::string& path) {
  UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return true;
  }
  return errno == EAGAIN;
}

absl::Status RemoveStale(const std::string& path) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) {
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
  if (unlink(path.c_str()) != 0) return ErrnoStatus(path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<grpc::Server>> StartLocalServer(
    const std::string& socket_path, const std::vector<grpc::Service*>& services) {
  ZC_RETURN_IF_ERROR(CheckPath(socket_path));
  ZC_RETURN_IF_ERROR(PrepareDirectory(socket_path));
  ZC_RETURN_IF_ERROR(RemoveStale(socket_path));
  grpc::ServerBuilder builder;
  int bound = 0;
  builder.AddListeningPort(absl::StrCat("unix:", socket_path), grpc::InsecureServerCredentials(),
                           &bound);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || bound == 0) {
    return absl::UnavailableError(
        absl::StrCat(socket_path, ": cannot listen there; the log has gRPC's reason"));
  }
  // gRPC makes it 0777 less the umask. Connecting takes write permission, so until here root alone
  // could, unless our umask is 0 and the directory is not one that we made.
  if (chmod(socket_path.c_str(), 0600) != 0) return ErrnoStatus(socket_path);
  return server;
}

}  // namespace zcluster::api
