// SPDX-License-Identifier: Apache-2.0
#include "tests/support/local_client.h"

#include <fcntl.h>
#include <grp.h>
#include <grpcpp/create_channel_posix.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/check.h"
#include "common/status.h"

namespace zcluster::test {
namespace {

constexpr uid_t kNobody = 65534;

// In the child of a process with threads: system calls alone. Returns 0 or errno; sends the
// connection through `to` if there is one.
int ConnectInChild(const sockaddr_un& address, const User& user, int to) {
  if (user.uid != 0 && (::setgroups(user.groups.size(), user.groups.data()) != 0 ||
                        ::setresgid(user.gid, user.gid, user.gid) != 0 ||
                        ::setresuid(user.uid, user.uid, user.uid) != 0)) {
    return errno;
  }
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return errno;
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  return ::sendmsg(to, &message, 0) == 1 ? 0 : errno;
}

UniqueFd Receive(int from) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  if (::recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1) return UniqueFd();
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
  return UniqueFd(fd);
}

}  // namespace

const User kRoot{0, 0, {}};
const User kStranger{kNobody, kNobody, {}};
const User kMember{kNobody, kNobody, {GroupId()}};

gid_t GroupId() {
  const group* found = ::getgrnam(kGroup);
  ZC_CHECK(found != nullptr);
  return found->gr_gid;
}

sockaddr_un UnixAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ZC_CHECK(path.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

absl::StatusOr<UniqueFd> Connect(const std::string& path) { return ConnectAs(path, kRoot); }

absl::StatusOr<UniqueFd> ConnectAs(const std::string& path, const User& user) {
  const sockaddr_un address = UnixAddress(path);
  int pair[2];
  ZC_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  const UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  const pid_t child = ::fork();
  ZC_CHECK(child >= 0);
  if (child == 0) ::_exit(ConnectInChild(address, user, theirs.get()));
  theirs.Reset();
  UniqueFd connection = Receive(ours.get());
  int status = 0;
  ZC_CHECK(::waitpid(child, &status, 0) == child && WIFEXITED(status));
  if (WEXITSTATUS(status) != 0) return ErrnoStatus(path, WEXITSTATUS(status));
  ::fcntl(connection.get(), F_SETFL, O_NONBLOCK);
  return connection;
}

std::shared_ptr<grpc::Channel> ChannelAs(const std::string& path, const User& user) {
  absl::StatusOr<UniqueFd> connection = ConnectAs(path, user);
  ZC_CHECK(connection.ok());
  return grpc::CreateInsecureChannelFromFd("local", connection->Release());
}

}  // namespace zcluster::test
